using System;

namespace Postern.Grpc.Client;

/// <summary>How a call ended.</summary>
/// <param name="Status">Any, OK too.</param>
/// <param name="Trailers">As received.</param>
/// <param name="Cause">On this side, or null.</param>
internal sealed record CallOutcome(Status Status, Metadata Trailers, Exception? Cause)
{
    public RpcException ToException() => new(Status, Trailers, Cause);
}
