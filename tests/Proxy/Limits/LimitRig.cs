using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Listeners;
using Postern.Proxy.Stats;
using Postern.Proxy.Upstream;
using Postern.Tests.Proxy.InMemory;
using Postern.Tests.Proxy.Listeners;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Limits;

/// <summary>A real listener that relays to a real server, with the admission that the test wants.</summary>
internal sealed class LimitRig : IDisposable
{
    private readonly ListenerRig rig;
    private readonly Socket server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly TcpProxyConfig tcp;

    public LimitRig(Admission? admission = null, CircuitBreakersConfig? breakers = null, TimeSpan? maxDuration = null)
    {
        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        server.Listen();
        Admission = admission ?? new Admission(100);
        tcp = new TcpProxyConfig("t", "c", null) { MaxDownstreamConnectionDuration = maxDuration };
        rig = new ListenerRig(Admission, Compile);
        Cluster = new ClusterSnapshot(
            new ClusterConfig("c", ClusterType.Static, TimeSpan.FromSeconds(5), [server.LocalEndPoint!]) { CircuitBreakers = breakers ?? CircuitBreakersConfig.Unlimited }, ClusterStats.In(rig.Stats, "c"));
        Assert.Equal(0, rig.Apply(ListenerRig.Config("l")));
    }

    public Admission Admission { get; }

    public ClusterSnapshot Cluster { get; }

    public RecordList Records { get; } = new();

    /// <summary>Of the listener's stats.</summary>
    public string Scope => rig.Scope;

    /// <inheritdoc cref="ListenerRig.ConnectAsync"/>
    public Task<Socket> ConnectAsync(string from = "127.0.0.1") => rig.ConnectAsync(from);

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

    public long? Value(string name) => rig.Value(name);

    public Task UntilAsync(string name, long? value) => rig.UntilAsync(name, value);

    public void Dispose()
    {
        rig.Dispose();
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
