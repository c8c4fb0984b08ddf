using System;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;

namespace Postern.Grpc.Client;

/// <summary>An open call with streams. One reader and one writer may use it at the same time. Disposing cancels what is left of it.</summary>
public abstract class StreamingCall<TRequest, TResponse> : IAsyncDisposable
    where TRequest : class, IMessage<TRequest>
    where TResponse : class, IMessage<TResponse>
{
    /// <summary>Sends a message. Completes when the message is handed to the transport with flow control applied.</summary>
    /// <exception cref="RpcException">The call ended.</exception>
    public abstract ValueTask WriteAsync(TRequest message, CancellationToken cancellationToken = default);

    /// <summary>No more messages from this side.</summary>
    public abstract ValueTask CompleteAsync(CancellationToken cancellationToken = default);

    /// <summary>The next message, or null when the call ended in OK.</summary>
    /// <exception cref="RpcException">The call ended in something else.</exception>
    public abstract ValueTask<TResponse?> ReadAsync(CancellationToken cancellationToken = default);

    /// <summary>Response headers; waits for them.</summary>
    public abstract Task<Metadata> ResponseHeadersAsync { get; }

    /// <summary>After the end of the responses.</summary>
    public abstract Status GetStatus();

    /// <summary>After the end of the responses.</summary>
    public abstract Metadata GetTrailers();

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
