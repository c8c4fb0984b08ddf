using System;
using System.Buffers;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;

namespace Postern.Xds.Discovery;

/// <summary>Opens streams to one control plane.</summary>
public interface IDiscoveryTransport
{
    /// <summary>Opens a stream with messages both ways; need not be connected when it returns.</summary>
    /// <param name="service">Full name.</param>
    /// <param name="method">Within the service.</param>
    /// <param name="read">Reads the bytes of one response after the other.</param>
    /// <param name="cancellationToken">Ends the stream.</param>
    IDiscoveryStream<TRequest, TResponse> Open<TRequest, TResponse>(string service, string method, Func<ReadOnlySequence<byte>, TResponse> read, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new();
}

/// <summary>An open stream: one reader and one writer at the same time. Disposing ends it.</summary>
public interface IDiscoveryStream<TRequest, TResponse> : IAsyncDisposable
{
    /// <summary>Sends. The first one that completes says that the control plane is connected.</summary>
    /// <exception cref="Grpc.RpcException">The stream ended.</exception>
    ValueTask WriteAsync(TRequest message, CancellationToken cancellationToken);

    /// <summary>The next message, or null when the stream ended in OK.</summary>
    /// <exception cref="Grpc.RpcException">The stream ended in something else.</exception>
    ValueTask<TResponse?> ReadAsync(CancellationToken cancellationToken);
}
