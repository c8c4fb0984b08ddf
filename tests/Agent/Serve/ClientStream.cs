using System;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Postern.Grpc.Server;

namespace Postern.Tests.Agent.Serve;

/// <summary>The client's end of a stream, in memory: what the handler reads, the test sends.</summary>
public sealed class ClientStream<TRequest, TResponse> : IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, IDisposable
    where TRequest : class
    where TResponse : class
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private readonly Channel<TRequest> requests = Channel.CreateUnbounded<TRequest>();
    private readonly Channel<TResponse> responses = Channel.CreateUnbounded<TResponse>();
    private readonly SemaphoreSlim asked = new(0);
    private readonly CancellationTokenSource cut = new();
    private Task serving = Task.CompletedTask;

    public void Serve(Func<IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, CancellationToken, Task> handler) =>
        serving = handler(this, this, cut.Token);

    /// <summary>Sends, and returns when the server is done with it: it asks for the next one.</summary>
    public async Task SendAsync(TRequest request)
    {
        await AskedAsync();
        requests.Writer.TryWrite(request);
        await AskedAsync();
        asked.Release();
    }

    /// <summary>Sends without waiting for the server.</summary>
    public void Post(TRequest request) => requests.Writer.TryWrite(request);

    public async Task<TResponse> ReadAsync() => await responses.Reader.ReadAsync().AsTask().WaitAsync(Limit);

    public void AssertSilent() => Assert.False(responses.Reader.TryRead(out var unexpected), $"the server sent {unexpected}");

    /// <summary>How the call ended after the client has gone.</summary>
    public async Task CloseAsync()
    {
        requests.Writer.TryComplete();
        await serving.WaitAsync(Limit);
    }

    /// <summary>The connection breaks.</summary>
    public async Task CutAsync()
    {
        await cut.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => serving.WaitAsync(Limit));
    }

    /// <summary>How the server ended the call.</summary>
    public Task EndAsync() => serving.WaitAsync(Limit);

    public void Dispose()
    {
        asked.Dispose();
        cut.Dispose();
    }

    async ValueTask<TRequest?> IAsyncStreamReader<TRequest>.ReadAsync(CancellationToken cancellationToken)
    {
        asked.Release();
        return await requests.Reader.WaitToReadAsync(cancellationToken) && requests.Reader.TryRead(out var request) ? request : null;
    }

    ValueTask IServerStreamWriter<TResponse>.WriteAsync(TResponse message, CancellationToken cancellationToken)
    {
        responses.Writer.TryWrite(message);
        return ValueTask.CompletedTask;
    }

    private async Task AskedAsync()
    {
        var free = asked.WaitAsync(Limit);
        if (await Task.WhenAny(free, serving) == serving && serving.IsFaulted)
        {
            await serving;
        }
        Assert.True(await free, "the server does not read");
    }
}
