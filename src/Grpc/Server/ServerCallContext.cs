using System;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Grpc.Server;

/// <summary>What a handler knows of its call.</summary>
public abstract class ServerCallContext
{
    /// <summary><c>/service/method</c>.</summary>
    public abstract string Method { get; }

    /// <summary>The client: <c>ipv4:1.2.3.4:5</c>, <c>ipv6:[::1]:5</c> or <c>unix:</c>.</summary>
    public abstract string Peer { get; }

    /// <summary>Request metadata.</summary>
    public abstract Metadata RequestHeaders { get; }

    /// <summary>When the client gives up; null without a deadline.</summary>
    public abstract DateTimeOffset? Deadline { get; }

    /// <summary>Cancelled when the client went, the deadline passed, or the server stops.</summary>
    public abstract CancellationToken CancellationToken { get; }

    /// <summary>Sent after the last message.</summary>
    public abstract Metadata ResponseTrailers { get; }

    /// <summary>Sends the headers before the first message.</summary>
    public abstract Task WriteResponseHeadersAsync(Metadata headers);
}
