using System;
using System.Threading.Tasks;
using System.Threading.Tasks.Sources;

namespace Postern.Proxy.Http2;

/// <summary>Waits until what a stream sends was taken.</summary>
internal sealed class SendWaiter : Waiter, IValueTaskSource<bool>
{
    private ManualResetValueTaskSourceCore<bool> core;

    /// <summary>How it ended; set before it is woken.</summary>
    public bool Result { get; set; }

    public ValueTask<bool> Arm()
    {
        core.Reset();
        return new ValueTask<bool>(this, core.Version);
    }

    public override void Wake() => core.SetResult(Result);

    public bool GetResult(short token) => core.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => core.OnCompleted(continuation, state, token, flags);
}
