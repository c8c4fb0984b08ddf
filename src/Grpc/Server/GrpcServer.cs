using System;
using System.Collections.Generic;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Postern.Grpc.Server;

/// <summary>A gRPC server on end points of its own. Starts once.</summary>
public sealed class GrpcServer : IAsyncDisposable
{
    private readonly WebApplication host;
    private readonly ListenSockets sockets;
    private readonly CancellationTokenSource stopping = new();

    /// <summary>Creates it; nothing listens yet.</summary>
    /// <exception cref="ArgumentException">An option is out of its range, or two services have one name.</exception>
    public GrpcServer(GrpcServerOptions options)
    {
        options.Validate();
        sockets = new ListenSockets(options.SocketMode);
        // Empty: no configuration files, no environment, no console.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(options.Loggers);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<SocketTransportOptions>(transport => transport.CreateBoundListenSocket = sockets.Create);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, options));
        host = builder.Build();
        host.Run(GrpcRequestDelegate.Create(options.Services, options, stopping.Token));
    }

    /// <summary>What it listens on, with the ports it got; empty before the start.</summary>
    public IReadOnlyList<EndPoint> BoundEndPoints => sockets.Bound;

    /// <summary>Listens.</summary>
    /// <exception cref="System.IO.IOException">An address is in use, or a unix socket's path holds something else.</exception>
    public Task StartAsync(CancellationToken cancellationToken = default) => host.StartAsync(cancellationToken);

    /// <summary>Ends all calls with UNAVAILABLE, then the connections; those that are not gone when the token fires are cut.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await host.StopAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await host.DisposeAsync().ConfigureAwait(false);
        stopping.Dispose();
    }

    private static void Configure(KestrelServerOptions kestrel, GrpcServerOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.AllowAlternateSchemes = true;
        var limits = kestrel.Limits;
        // A stream may be silent for days.
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = null;
        limits.MaxRequestBodySize = null;
        limits.Http2.MaxStreamsPerConnection = options.MaxCallsPerConnection;
        if (options.KeepAliveInterval is { } interval)
        {
            limits.Http2.KeepAlivePingDelay = interval;
            limits.Http2.KeepAlivePingTimeout = options.KeepAliveTimeout;
        }
        foreach (var endPoint in options.EndPoints)
        {
            kestrel.Listen(endPoint, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                if (options.Tls is { } tls)
                {
                    listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(tls) });
                }
            });
        }
    }

    // Signals belong to the process, not to a server in it.
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
