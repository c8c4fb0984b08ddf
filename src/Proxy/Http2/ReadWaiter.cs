using System;
using System.Threading.Tasks.Sources;
using Postern.Proxy.Errors;
using Postern.Proxy.Http;

namespace Postern.Proxy.Http2;

/// <summary>Waits until a stream has something to read: a head, or body. What it is, is taken when the reader runs.</summary>
internal sealed class ReadWaiter(Http2Stream stream) : Waiter, IValueTaskSource<BodyRead>, IValueTaskSource<ProxyError>
{
    private ManualResetValueTaskSourceCore<bool> core;

    /// <summary>Somebody waits; under the gate.</summary>
    public bool IsArmed { get; set; }

    public short Arm()
    {
        core.Reset();
        IsArmed = true;
        return core.Version;
    }

    public override void Wake() => core.SetResult(true);

    BodyRead IValueTaskSource<BodyRead>.GetResult(short token)
    {
        core.GetResult(token);
        return stream.Session.TakeBody(stream);
    }

    ProxyError IValueTaskSource<ProxyError>.GetResult(short token)
    {
        core.GetResult(token);
        return stream.Owner.TakeHead();
    }

    public ValueTaskSourceStatus GetStatus(short token) => core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => core.OnCompleted(continuation, state, token, flags);
}
