using System;
using System.Buffers;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Postern.Grpc;
using Postern.Grpc.Client;

namespace Postern.Xds.Discovery;

/// <summary>Streams over gRPC. The channel behind the invoker must take messages of any size (64 MiB at least): policies of a node are one message.</summary>
/// <param name="invoker">Of the channel.</param>
/// <param name="headers">Sent with every call, or null.</param>
public sealed class GrpcDiscoveryTransport(CallInvoker invoker, Metadata? headers = null) : IDiscoveryTransport
{
    /// <inheritdoc/>
    public IDiscoveryStream<TRequest, TResponse> Open<TRequest, TResponse>(string service, string method, Func<ReadOnlySequence<byte>, TResponse> read, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        var description = new Method<TRequest, TResponse>(
            MethodType.DuplexStreaming,
            service,
            method,
            new MessageParser<TRequest>(static () => new TRequest()),
            new MessageParser<TResponse>(static () => new TResponse())) { ReadResponse = read };
        return new Stream<TRequest, TResponse>(invoker.Open(description, new CallOptions(headers, CancellationToken: cancellationToken)));
    }

    private sealed class Stream<TRequest, TResponse>(StreamingCall<TRequest, TResponse> call) : IDiscoveryStream<TRequest, TResponse>
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        public ValueTask WriteAsync(TRequest message, CancellationToken cancellationToken) => call.WriteAsync(message, cancellationToken);

        public ValueTask<TResponse?> ReadAsync(CancellationToken cancellationToken) => call.ReadAsync(cancellationToken);

        public ValueTask DisposeAsync() => call.DisposeAsync();
    }
}
