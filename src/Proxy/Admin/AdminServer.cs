using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Postern.Proxy.Stats;

namespace Postern.Proxy.Admin;

/// <summary>
/// Serves the admin pages over HTTP/1.1, on a Kestrel of its own: nothing of the data path is shared with it or waits for it. Whoever reaches
/// the address may do everything, so it is a Unix socket of mode 0660 or belongs on loopback.
/// </summary>
internal sealed partial class AdminServer : IAsyncDisposable
{
    /// <summary>Connections at a time; more are closed at once.</summary>
    public const int MaxConnections = 16;

    private const int MaxBody = 64 * 1024; // no page takes one; Kestrel reads and drops it
    private static readonly TimeSpan HeadTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(1);

    private readonly EndPoint address;
    private readonly ILogger logger;
    private readonly ServiceProvider services;
    private readonly KestrelServer server;
    private readonly AdminApplication application;
    private EndPoint? bound;

    public AdminServer(EndPoint address, IAdminTarget target, StatsRegistry stats, ILoggerFactory loggers, TimeProvider? time = null)
    {
        this.address = address;
        logger = loggers.CreateLogger("postern.admin");
        services = new ServiceCollection().AddSingleton(loggers).AddLogging().BuildServiceProvider();
        time ??= TimeProvider.System;
        stats.AddSource(new TargetStats(target, time));
        application = new AdminApplication(AdminPages.All(target, stats, logger, time), logger);
        var transport = new SocketTransportFactory(
            Options.Create(new SocketTransportOptions { CreateBoundListenSocket = Bind }), loggers);
        server = new KestrelServer(Options.Create(Configure()), transport, loggers);
    }

    /// <summary>Where it listens, with the port the kernel gave.</summary>
    public EndPoint Bound => bound ?? throw new InvalidOperationException("the admin server has not been started");

    /// <summary>Binds and serves.</summary>
    /// <exception cref="AdminException">The address cannot be had.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await server.StartAsync(application, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or System.IO.IOException or UnauthorizedAccessException or AddressInUseException)
        {
            throw new AdminException($"admin.address {AdminSocket.Describe(address)}: {e.Message}", e);
        }
        if (Bound is IPEndPoint ip && !IPAddress.IsLoopback(ip.Address))
        {
            LogOpen(logger, ip);
        }
        LogListening(logger, AdminSocket.Describe(Bound));
    }

    /// <summary>Stops; readers that do not finish within a second are cut.</summary>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(StopPatience);
        await server.StopAsync(patience.Token).ConfigureAwait(false);
        server.Dispose();
        await services.DisposeAsync().ConfigureAwait(false);
        if (bound is not null)
        {
            AdminSocket.RemoveFile(bound);
        }
    }

    private KestrelServerOptions Configure()
    {
        var options = new KestrelServerOptions { ApplicationServices = services, AddServerHeader = false };
        var limits = options.Limits;
        limits.MaxConcurrentConnections = MaxConnections;
        limits.MaxRequestBodySize = MaxBody;
        limits.MaxRequestHeadersTotalSize = 16 * 1024;
        limits.RequestHeadersTimeout = HeadTimeout;
        limits.KeepAliveTimeout = KeepAlive;
        // A reader that does not read holds a connection and its buffer, no thread; the default minimum data rate cuts it after a while.
        options.Listen(address, listen => listen.Protocols = HttpProtocols.Http1);
        return options;
    }

    private Socket Bind(EndPoint endPoint)
    {
        var socket = AdminSocket.Bind(endPoint);
        bound = socket.LocalEndPoint is IPEndPoint ip ? ip : endPoint;
        return socket;
    }

    [LoggerMessage(60, LogLevel.Warning, "admin listens on {Address}, which is open to the network: whoever reaches it can read the configuration and stop the proxy; use a Unix socket (admin.address.pipe) or 127.0.0.1")]
    private static partial void LogOpen(ILogger logger, IPEndPoint address);

    [LoggerMessage(61, LogLevel.Information, "admin listens on {Address}")]
    private static partial void LogListening(ILogger logger, string address);
}
