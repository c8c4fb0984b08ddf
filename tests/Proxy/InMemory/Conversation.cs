using System;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Filters;
using Postern.Filters.Http;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Proxy.Http;
using Postern.Proxy.Listeners;
using Postern.Proxy.Overload;
using Postern.Proxy.Stats;
using Postern.Proxy.Transport;
using Postern.Proxy.Upstream;
using Postern.Records;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.InMemory;

/// <summary>
/// One client connection through the engine, seen from both ends. Every wait has a deadline that reports what was seen so far; time passes only
/// when the test moves <see cref="ClockOffset"/>.
/// </summary>
internal sealed class Conversation : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static int nextId;

    private readonly HttpEngineFixture fixture;
    private readonly MemoryConnection transport;
    private readonly Task running;
    private readonly bool ownsHost;
    private readonly ConnectionRegistry registry;
    private readonly PolicyReview review;
    private readonly IPEndPoint client = new(IPAddress.Parse("10.0.0.9"), 40000);
    private Socket? upstream;

    public Conversation(HttpEngineFixture fixture, HttpTestOptions options, UpstreamHost? host = null)
    {
        this.fixture = fixture;
        ownsHost = host is null;
        Host = host ?? new UpstreamHost();
        Policy = options.Given ?? new TestPolicy();
        Records = new RecordList { Also = options.OnRecord };
        if (options.Given is null)
        {
            Policy.Use(options.Policy);
        }
        Overload = options.Overload;
        transport = new MemoryConnection(options.MaxRead);
        var pod = new IPEndPoint(IPAddress.Parse("10.0.0.1"), 80);
        var metadata = options.Metadata?.Invoke(Policy) ?? new ConnectionMetadata
        {
            Direction = TrafficDirection.Ingress,
            PodAddress = "10.0.0.1",
            SourceIdentity = 5,
            DestinationIdentity = 0,
            Source = client,
            Destination = pod,
            ProxyId = 0,
            Sni = "",
            UpstreamSourceAddress = null,
            Policy = Policy,
            ResolvedBy = Policy.Current.Hosts,
        };
        var admission = new Admission(1000);
        admission.TryEnter();
        Id = $"test-{Interlocked.Increment(ref nextId)}";
        registry = new ConnectionRegistry(admission);
        review = new PolicyReview(() => [registry], NullLogger.Instance);
        var verdict = new OpenVerdict(metadata, opaque: false, Policy.Current, Records, "test", registry.Stats);
        var parts = new HttpConnectionParts(Id, new TransportChannel(transport, transport), default, Snapshot(options, Records), metadata, metadata.Source, metadata.Destination, Host, registry, verdict);
        running = fixture.Engine.RunAsync(fixture.Engine.Begin(parts), parts);
    }

    /// <summary>Connection id, as log lines name it.</summary>
    public string Id { get; }

    public TestPolicy Policy { get; }

    public RecordList Records { get; }

    public UpstreamHost Host { get; }

    /// <summary>What the client received and the test has not consumed.</summary>
    public ReceivedBytes Client { get; } = new();

    /// <summary>What the upstream received and the test has not consumed, on the current connection.</summary>
    public ReceivedBytes Upstream { get; private set; } = new();

    /// <summary>What the process sheds.</summary>
    public OverloadState Overload { get; }

    /// <summary>Added to the clock of every sweep.</summary>
    public TimeSpan ClockOffset { get; set; }

    /// <summary>Nobody waits for the proxy to read more.</summary>
    public bool IsGateWaiting => transport.FromClient.IsReaderWaiting;

    public void ClientSends(ReadOnlySpan<byte> bytes) => transport.FromClient.Write(bytes);

    public void ClientFin() => transport.FromClient.End();

    public void ClientReset()
    {
        transport.PeerIsGone = true;
        transport.FromClient.Reset();
    }

    public void Drain() => registry.BeginDrain();

    /// <summary>The client has another identity from now on; 5 is the first.</summary>
    public void IdentifyClient(uint identity) => Policy.Identify(client.Address, identity);

    /// <summary>What the proxy does after every change of policy.</summary>
    public async Task ReviewAsync() => await review.WalkAsync();

    public async Task UpstreamSends(ReadOnlyMemory<byte> bytes)
    {
        var socket = await CurrentUpstream();
        for (var sent = 0; sent < bytes.Length;)
        {
            sent += await socket.SendAsync(bytes[sent..], SocketFlags.None);
        }
    }

    public async Task UpstreamCloses() => (await CurrentUpstream()).Dispose();

    public async Task UpstreamShutsDown() => (await CurrentUpstream()).Shutdown(SocketShutdown.Send);

    public async Task UpstreamResets()
    {
        var socket = await CurrentUpstream();
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    /// <summary>From now on the upstream is the next connection that the proxy opens.</summary>
    public void NextUpstream()
    {
        upstream = null;
        Upstream = new ReceivedBytes();
    }

    /// <summary>Waits until the condition holds, reading both ends and sweeping meanwhile.</summary>
    public async Task Until(Func<bool> condition, string what)
    {
        using var deadline = new CancellationTokenSource(Patience);
        using var step = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token);
        var client = Client.PumpAsync(transport.ToClient.ReadAsync, step.Token);
        var server = PumpUpstreamAsync(step.Token);
        try
        {
            while (!condition())
            {
                if (deadline.IsCancellationRequested)
                {
                    Assert.Fail($"waited {Patience.TotalSeconds} s for {what}\n{State()}");
                }
                registry.Sweep(Environment.TickCount64 + (long)ClockOffset.TotalMilliseconds); // not the connection itself: it may have become one of HTTP/2
                await Task.WhenAny(Task.Delay(2, CancellationToken.None), Client.Changed, Upstream.Changed);
            }
        }
        finally
        {
            await step.CancelAsync();
            await client;
            await server;
        }
    }

    public string State() =>
        $"client received: {Client}\nupstream received: {Upstream}\nupstream connections: {Host.Connects}\n"
        + $"gate waiting: {IsGateWaiting}, over: {running.IsCompleted}\nrecords:\n{Records}\nerrors logged: {string.Join('\n', fixture.Errors)}";

    public void Dispose()
    {
        review.Dispose();
        transport.FromClient.Reset();
        transport.PeerIsGone = true;
        upstream?.Dispose();
        if (ownsHost)
        {
            Host.Dispose();
        }
    }

    private static HttpListenerSnapshot Snapshot(HttpTestOptions options, IRecordSink sink)
    {
        var cluster = new ClusterSnapshot(new ClusterConfig("test", options.Endpoints.Length == 0 ? ClusterType.OriginalDst : ClusterType.Static, TimeSpan.FromSeconds(5), [.. options.Endpoints]) { HttpProtocol = options.UpstreamProtocol, IdleTimeout = options.UpstreamIdleTimeout }, ClusterStats.In(options.Stats, "test"));
        var route = new RouteEntryConfig("all", StringMatchKind.Prefix, options.RoutePrefix, [], false, "test", options.RouteTimeout, null) { PrefixRewrite = options.RouteRewrite };
        var routes = new RouteSlot(new RouteTable(new RouteConfig("r", [new VirtualHostConfig("v", ["*"], [route, route with { Connect = true, Path = "" }])]), _ => options.HasCluster ? cluster : null));
        return new HttpListenerSnapshot(
            "test", [.. options.FirstFilters, new L7PolicyFilter(options.DeniedBody, sink)], routes, sink, options.IdleTimeout, options.StreamIdleTimeout,
            options.RequestHeadersTimeout, options.MaxHeadBytes, options.MaxHeaders)
        {
            Stats = HttpStats.In(options.Stats, "ingress"),
            Paths = options.Paths,
            Hosts = options.Hosts,
            Server = options.Server,
            Underscores = options.Underscores,
            Forwarded = options.Forwarded,
            Via = options.Via,
            RequestIds = options.RequestIds,
            Codec = options.Codec,
            Http2 = options.Http2,
            MaxRequestsPerConnection = options.MaxRequests,
            MaxStreamDuration = options.MaxStreamDuration,
            Overload = options.Overload,
            Upgrades = new UpgradeRules([.. options.Upgrades.Select(name => new UpgradeConfig(name, true))]),
        };
    }

    private async Task PumpUpstreamAsync(CancellationToken cancellationToken)
    {
        try
        {
            upstream ??= await Host.AcceptAsync(cancellationToken);
            var socket = upstream;
            await Upstream.PumpAsync((memory, token) => socket.ReceiveAsync(memory, SocketFlags.None, token), cancellationToken);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task<Socket> CurrentUpstream()
    {
        await Until(() => upstream is not null, "the proxy to connect to the upstream");
        return upstream!;
    }
}
