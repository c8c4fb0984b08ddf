using System;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;

namespace Postern.Proxy.Http;

/// <summary>The one Kestrel server of the process, on its virtual end point, with its limits out of the way: the gate and the sweeper have them.</summary>
internal sealed class HttpEngine : IAsyncDisposable
{
    private const int LargestHead = 16 << 20; // above what any listener can configure: the gate's limit comes first

    private readonly ServiceProvider services;
    private readonly KestrelServer server;
    private readonly RequestPath path;

    public HttpEngine(ILoggerFactory loggers)
    {
        services = new ServiceCollection().AddSingleton(loggers).AddLogging().AddHttpForwarder().BuildServiceProvider();
        var options = new KestrelServerOptions
        {
            ApplicationServices = services,
            AddServerHeader = false,
            AllowAlternateSchemes = true,
            // One char per byte, both ways: nothing is decoded, nothing is lost.
            RequestHeaderEncodingSelector = static _ => System.Text.Encoding.Latin1,
            ResponseHeaderEncodingSelector = static _ => System.Text.Encoding.Latin1,
        };
        var limits = options.Limits;
        limits.MaxRequestBodySize = null;
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = null;
        limits.MaxRequestLineSize = LargestHead;
        limits.MaxRequestHeadersTotalSize = LargestHead;
        limits.MaxRequestHeaderCount = int.MaxValue;
        limits.MaxRequestBufferSize = null;
        // Not infinite: with InfiniteTimeSpan this Kestrel closes healthy connections about once a second (seen under load).
        limits.KeepAliveTimeout = TimeSpan.FromDays(365);
        limits.RequestHeadersTimeout = TimeSpan.FromDays(365);
        options.Listen(Handoff.EndPoint, listen => listen.Protocols = HttpProtocols.Http1);
        server = new KestrelServer(Options.Create(options), Handoff, loggers);
        path = new RequestPath(services.GetRequiredService<IHttpForwarder>(), loggers.CreateLogger("postern.http"));
    }

    /// <summary>Where listeners put their connections.</summary>
    public HttpHandoff Handoff { get; } = new();

    public Task StartAsync(CancellationToken cancellationToken) => server.StartAsync(path, cancellationToken);

    /// <summary>Stops taking connections, lets those in flight finish until the token fires, then cuts them.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => server.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        server.Dispose();
        await services.DisposeAsync().ConfigureAwait(false);
    }
}
