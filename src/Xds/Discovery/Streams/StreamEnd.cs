using System;
using Postern.Grpc;
using Postern.Xds.Text;

namespace Postern.Xds.Discovery.Streams;

/// <summary>State of one stream, owned by its loop: how it ended. The first error is the cause, what follows comes from tearing down.</summary>
internal sealed class StreamEnd
{
    private Exception? error;
    private string? reason;

    public bool HadResponse { get; set; }

    public StatusCode Code => error is RpcException rpc ? rpc.StatusCode : error is null ? StatusCode.OK : StatusCode.Unknown;

    public string Text => error switch
    {
        null when reason is not null => reason,
        null => HadResponse ? "closed by the control plane" : "closed by the control plane before any answer",
        RpcException rpc => Printable.Clip(rpc.Message),
        _ => $"{error.GetType().Name}: {Printable.Clip(error.Message)}",
    };

    /// <summary>This side ends it.</summary>
    public void Close(string why) => reason = why;

    public void Fail(Exception e)
    {
        if (error is null && e is not OperationCanceledException)
        {
            error = e;
        }
    }
}
