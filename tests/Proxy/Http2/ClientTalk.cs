using System;
using System.Collections.Generic;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Postern.Filters;
using Postern.Filters.Http;
using Postern.Proxy.Errors;
using Postern.Proxy.Http;
using Postern.Proxy.Http2;
using Postern.Proxy.Listeners;
using Postern.Proxy.Stats;
using Postern.Proxy.Transport;
using Postern.Proxy.Upstream;
using Postern.Tests.Proxy.InMemory;

namespace Postern.Tests.Proxy.Http2;

/// <summary>A client's connection in memory, with the test at the client's end and <see cref="TestServe"/> in place of the request path.</summary>
internal sealed class ClientTalk : IUpstreamConnector, IDisposable
{
    private readonly MemoryConnection transport;
    private readonly Http2Connection connection;

    public ClientTalk(Http2Options options, Func<HttpListenerSnapshot, HttpListenerSnapshot>? change = null, int maxRead = int.MaxValue, Func<ClientStream, Task>? serve = null, MemoryEnd? over = null)
    {
        transport = new MemoryConnection(maxRead);
        var snapshot = new HttpListenerSnapshot("test", [], null!, Records, null, null, TimeSpan.FromSeconds(30), 60 * 1024, 100)
        {
            Http2 = options,
            Stats = new HttpStats(new StatsScope(ScopeName.Tagged("http", "envoy_http_conn_manager_prefix", "test")), new Http1Stats(new StatsScope(Http1Stats.Name)), Stats, new Counter()),
        };
        var admission = new Admission(10);
        admission.TryEnter();
        var parts = new HttpConnectionParts("test", over is null ? new TransportChannel(transport, transport) : new TransportChannel(over, over), default, change?.Invoke(snapshot) ?? snapshot, null,
            new IPEndPoint(IPAddress.Loopback, 1), new IPEndPoint(IPAddress.Loopback, 80), this, new ConnectionRegistry(admission), null);
        connection = new Http2Connection(parts, serve ?? Serve.ServeAsync);
        Frames = new FrameReader(transport.ToClient);
        Running = connection.RunAsync();
    }

    public TestServe Serve { get; } = new();

    public RecordList Records { get; } = new();

    public Http2Stats Stats { get; } = Http2Stats.Unlisted();

    public FrameReader Frames { get; }

    /// <summary>The connection's life.</summary>
    public Task Running { get; }

    public Http2Connection Connection => connection;

    public bool IsReaderWaiting => transport.FromClient.IsReaderWaiting;

    public void Send(ReadOnlySpan<byte> bytes)
    {
        try
        {
            transport.FromClient.Write(bytes);
        }
        catch (System.IO.IOException)
        {
            // The proxy reads no more.
        }
    }

    public void Dispose() => transport.Dispose();

    public void Fin() => transport.FromClient.End();

    public void Sweep(TimeSpan ahead) => connection.Sweep(Environment.TickCount64 + (long)ahead.TotalMilliseconds);

    public ValueTask<(TransportChannel? Channel, ProxyError Error)> ConnectAsync(
        ClusterSnapshot cluster, EndPoint destination, ConnectionMetadata? metadata, ConnectPurpose purpose, CancellationToken cancellationToken) =>
        throw new NotSupportedException();
}
