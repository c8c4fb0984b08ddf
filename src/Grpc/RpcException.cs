using System;

namespace Postern.Grpc;

/// <summary>A call that did not end in OK.</summary>
public sealed class RpcException : Exception
{
    /// <summary>Creates it.</summary>
    /// <param name="status">Not OK.</param>
    /// <param name="trailers">As received; empty when there were none.</param>
    /// <param name="inner">The cause on this side, or null.</param>
    public RpcException(Status status, Metadata? trailers = null, Exception? inner = null)
        : base($"{status.StatusCode}: {status.Detail}", inner)
    {
        Status = status;
        Trailers = trailers ?? [];
    }

    /// <summary>How the call ended.</summary>
    public Status Status { get; }

    /// <summary>Shortcut.</summary>
    public StatusCode StatusCode => Status.StatusCode;

    /// <summary>Trailers of the call.</summary>
    public Metadata Trailers { get; }
}
