using System;
using System.Buffers;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Google.Protobuf;
using Postern.Xds.Discovery;

namespace Postern.Tests.Xds.Discovery;

/// <summary>The other end of the streams, in memory.</summary>
internal sealed class FakeControlPlane : IDiscoveryTransport
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly Channel<object> opened = Channel.CreateUnbounded<object>();

    public List<string> Methods { get; } = [];

    /// <summary>Thrown by the next attempts while set.</summary>
    public Exception? Refusal { get; set; }

    public IDiscoveryStream<TRequest, TResponse> Open<TRequest, TResponse>(string service, string method, Func<ReadOnlySequence<byte>, TResponse> read, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        if (Refusal is { } refusal)
        {
            throw refusal;
        }
        var stream = new FakeStream<TRequest, TResponse>();
        lock (Methods)
        {
            Methods.Add($"/{service}/{method}");
        }
        opened.Writer.TryWrite(stream);
        return stream;
    }

    public async Task<FakeStream<TRequest, TResponse>> StreamAsync<TRequest, TResponse>()
        where TRequest : class
        where TResponse : class =>
        (FakeStream<TRequest, TResponse>)await opened.Reader.ReadAsync().AsTask().WaitAsync(Deadline);

    public bool HasStream => opened.Reader.Count > 0;
}

internal sealed class FakeStream<TRequest, TResponse> : IDiscoveryStream<TRequest, TResponse>
    where TRequest : class
    where TResponse : class
{
    private readonly Channel<TRequest> requests = Channel.CreateUnbounded<TRequest>();
    private readonly Channel<TResponse> responses = Channel.CreateUnbounded<TResponse>();

    public int Waiting => requests.Reader.Count;

    /// <summary>Responses nobody has read yet.</summary>
    public int Unread => responses.Reader.Count;

    public Task<TRequest> RequestAsync() => requests.Reader.ReadAsync().AsTask().WaitAsync(FakeControlPlane.Deadline);

    public void Send(TResponse response) => responses.Writer.TryWrite(response);

    public void End(Exception? error = null) => responses.Writer.TryComplete(error);

    public ValueTask WriteAsync(TRequest message, CancellationToken cancellationToken) => requests.Writer.WriteAsync(message, cancellationToken);

    public async ValueTask<TResponse?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await responses.Reader.ReadAsync(cancellationToken);
        }
        catch (ChannelClosedException e)
        {
            return e.InnerException is null ? null : throw e.InnerException;
        }
    }

    public ValueTask DisposeAsync()
    {
        requests.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }
}
