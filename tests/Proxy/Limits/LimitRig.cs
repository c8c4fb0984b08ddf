using System;
using System.Diagnostics;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Proxy.Http;
using Postern.Proxy.Listeners;
using Postern.Proxy.Stats;
using Postern.Proxy.Upstream;
using Postern.Tests.Proxy.InMemory;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Limits;

/// <summary>A real listener that relays to a real server, with the admission that the test wants.</summary>
internal sealed class LimitRig : IDisposable
{
    private readonly StatsRegistry stats = new();
    private readonly ListenerManager manager;
    private readonly Socket server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly TcpProxyConfig tcp;
    private readonly ClusterStats clusterStats;

    public LimitRig(Admission? admission = null, CircuitBreakersConfig? breakers = null, TimeSpan? maxDuration = null)
    {
        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        server.Listen();
        Admission = admission ?? new Admission(100);
        tcp = new TcpProxyConfig("t", "c", null) { MaxDownstreamConnectionDuration = maxDuration };
        clusterStats = ClusterStats.In(stats, "c");
        Cluster = new ClusterSnapshot(
            new ClusterConfig("c", ClusterType.Static, TimeSpan.FromSeconds(5), [server.LocalEndPoint!]) { CircuitBreakers = breakers ?? CircuitBreakersConfig.Unlimited }, clusterStats);
        var connector = new UpstreamConnector();
        manager = new ListenerManager(new ConnectionPipeline(new HttpEngine(NullLoggerFactory.Instance), connector, NullLogger.Instance), connector, Admission, TimeSpan.FromSeconds(5), NullLogger.Instance, stats);
        Assert.Empty(manager.Apply([new ListenerConfig { Name = "l", Addresses = [new IPEndPoint(IPAddress.Loopback, 0)] }], Compile));
        Scope = "listener." + ListenerStats.NameOf(manager.Listening[0].Address);
    }

    public Admission Admission { get; }

    public ClusterSnapshot Cluster { get; }

    public RecordList Records { get; } = new();

    /// <summary>Of the listener's stats.</summary>
    public string Scope { get; }

    /// <summary>A client; it may be refused at once.</summary>
    public async Task<Socket> ConnectAsync(string from = "127.0.0.1")
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        try
        {
            await client.ConnectAsync(manager.Listening[0].Address);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // the refusal was quicker than the answer to connect
        }
        return client;
    }

    /// <summary>The server's end of the next relayed connection.</summary>
    public async Task<Socket> AcceptAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        return await server.AcceptAsync(patience.Token);
    }

    /// <summary>The client was cut. (A reset that was quicker than the answer to connect was told then; what comes later is an end.)</summary>
    public static async Task AssertCutAsync(Socket client)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            Assert.Equal(0, await client.ReceiveAsync(new byte[1], SocketFlags.None, patience.Token));
        }
        catch (SocketException e)
        {
            Assert.Contains(e.SocketErrorCode, new[] { SocketError.ConnectionReset, SocketError.NotConnected });
        }
    }

    public long? Value(string name) => stats.Read().SingleOrDefault(sample => sample.Name.Dotted == name)?.Value;

    public static void Until(Func<bool> condition, Func<string> state)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed.TotalSeconds < 10, "after 10 s: " + state());
            Thread.Yield();
        }
    }

    public void Dispose()
    {
        manager.Apply([], Compile);
        manager.Dispose();
        server.Dispose();
    }

    private ListenerSnapshot Compile(ListenerConfig config) => new()
    {
        Config = config,
        InspectTls = false,
        InspectHttp = false,
        MaxInspectBytes = 1024,
        Metadata = null,
        OriginalDst = false,
        Chains = new FilterChainMatcher<ChainSnapshot>([], new ChainSnapshot
        {
            Name = "",
            JudgesConnection = false,
            Sink = Records,
            Tcp = new TcpProxySnapshot("c", () => Cluster, tcp.IdleTimeout, tcp.MaxDownstreamConnectionDuration),
        }),
        Sink = Records,
    };
}
