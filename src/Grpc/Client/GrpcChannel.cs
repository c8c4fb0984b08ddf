using System;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Grpc.Client;

/// <summary>
/// One peer and the HTTP/2 connections to it, opened when a call needs one and opened again when they break. Safe for many callers.
/// Disposing it ends its calls with UNAVAILABLE or CANCELLED.
/// </summary>
public sealed class GrpcChannel : IAsyncDisposable
{
    private readonly HttpMessageInvoker http;
    private readonly CancellationTokenSource closed = new();

    private GrpcChannel(GrpcChannelOptions options)
    {
        Options = options;
        var connector = new ChannelConnector(options);
        http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectCallback = connector.ConnectAsync,
            ConnectTimeout = options.ConnectTimeout,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = System.Net.DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            // Streams are long-lived here: a second connection when the peer allows no more on the first.
            EnableMultipleHttp2Connections = true,
            PooledConnectionLifetime = Timeout.InfiniteTimeSpan,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            KeepAlivePingDelay = options.KeepAliveInterval ?? Timeout.InfiniteTimeSpan,
            KeepAlivePingTimeout = options.KeepAliveTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        });
        Invoker = new HttpCallInvoker(http, options, closed.Token);
    }

    /// <summary>As given.</summary>
    public GrpcChannelOptions Options { get; }

    /// <summary>Makes the calls.</summary>
    public CallInvoker Invoker { get; }

    /// <summary>A channel; connects with its first call.</summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static GrpcChannel ForAddress(GrpcChannelOptions options)
    {
        options.Validate();
        return new GrpcChannel(options);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await closed.CancelAsync().ConfigureAwait(false);
        http.Dispose();
    }
}
