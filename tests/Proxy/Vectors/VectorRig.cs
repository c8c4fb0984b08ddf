using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Filters;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Proxy.Http;
using Postern.Proxy.Lifecycle;
using Postern.Proxy.Listeners;
using Postern.Proxy.Stats;
using Postern.Proxy.Upstream;
using Postern.Tests.Proxy.Discovery;
using Postern.Tests.Proxy.InMemory;
using Postern.Xds;
using Postern.Proxy.Tls;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Vectors;

/// <summary>The listeners of one vector on loopback sockets, the real pipeline behind them, and both ends.</summary>
internal sealed class VectorRig : IPolicySource, ISecretSource, IDisposable
{
    private const int ReceiveBuffer = 128 * 1024; // the kernel may otherwise take more than a whole payload from the proxy for an end that does not read

    private readonly ListenerManager manager;
    private readonly SnapshotCompiler compiler;
    private readonly Socket origin;
    private readonly Dictionary<string, ClusterSnapshot> clusters = new(StringComparer.Ordinal);
    private readonly List<ListenerConfig> listeners = [];
    private volatile PolicyState current = PolicyState.Empty;

    public VectorRig(IPAddress address)
    {
        Address = address;
        Peers = new PeerPair(Records);
        var connector = new UpstreamConnector();
        var pipeline = new ConnectionPipeline(new HttpEngine(NullLoggerFactory.Instance), connector, NullLogger.Instance);
        manager = new ListenerManager(pipeline, new UpstreamConnector() /* its guard against loops would refuse the way from listener to listener */, new Admission(100), TimeSpan.Zero, NullLogger.Instance, Stats);
        compiler = new SnapshotCompiler(name => clusters.GetValueOrDefault(name), this, new NoPolicyTls(), new SnapshotParts(_ => Records, Stats, IsOnlyDatapath: false));
        origin = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = ReceiveBuffer };
        origin.Bind(new IPEndPoint(address, 0));
        origin.Listen();
    }

    public IPAddress Address { get; }

    public StatsRegistry Stats { get; } = new();

    public RecordList Records { get; } = new();

    public PeerPair Peers { get; }

    public Peer Client => Peers.Client;

    public Peer Upstream => Peers.Upstream;

    public IPEndPoint UpstreamAddress => (IPEndPoint)origin.LocalEndPoint!;

    public PolicyState Current => current;

    public ISecretSource Secrets => this;

    public string? FindGenericSecret(string name) => null;

    /// <summary>Opens a listener; returns its address.</summary>
    public IPEndPoint Listen(string name, bool? ingress, params NetworkFilterConfig[] filters)
    {
        listeners.Add(new ListenerConfig
        {
            Name = name,
            Addresses = [new IPEndPoint(Address, 0)],
            ListenerFilters = ingress is { } side ? [new BpfMetadataConfig { IsIngress = side, PolicySource = Make.Plane }] : [],
            FilterChains = [new FilterChainConfig("", null, filters.ToEquatableList())],
        });
        Assert.Empty(manager.Apply(listeners, Compile));
        return manager.Listening.Single(l => l.Name == name).Address;
    }

    public string ClusterTo(string name, IPEndPoint? endpoint)
    {
        var config = new ClusterConfig(name, endpoint is null ? ClusterType.OriginalDst : ClusterType.Static, TimeSpan.FromSeconds(5), endpoint is null ? [] : [endpoint]);
        clusters[name] = new ClusterSnapshot(config, ClusterStats.In(Stats, name));
        return name;
    }

    /// <summary>Puts the vector's policy in force, for the ports and the family of this run.</summary>
    public void UsePolicy(JsonElement @case, int port)
    {
        var node = JsonNode.Parse(@case.GetProperty("policy").GetRawText())!.AsArray();
        var policies = new List<NetworkPolicyConfig>();
        foreach (var policy in node)
        {
            policy!["endpoint_ips"] = new JsonArray(Address.ToString());
            foreach (var side in new[] { "ingress_per_port_policies", "egress_per_port_policies" })
            {
                foreach (var entry in policy[side]!.AsArray())
                {
                    entry!["port"] = port;
                    foreach (var rule in entry["rules"]!.AsArray())
                    {
                        // The Go parser test.passer passes everything, and there is no Go here.
                        Assert.Contains((string?)rule!["l7_proto"], (string?[])[null, "test.passer"]);
                        rule.AsObject().Remove("l7_proto");
                    }
                }
            }
            policies.Add(PolicyResources.ReadNetworkPolicy(JsonDocument.Parse(policy.ToJsonString()).RootElement, "vector"));
        }
        var hosts = IdentityMap.Compile([new NetworkPolicyHostsConfig(1, ["127.0.0.0/8", "::/104"])]);
        current = new PolicyState(PolicySnapshot.Compile(policies), hosts, "1");
    }

    public async Task ConnectAsync(IPEndPoint listener)
    {
        _ = AcceptAsync();
        var socket = new Socket(Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = ReceiveBuffer };
        await socket.ConnectAsync(listener);
        Client.Use(new NetworkStream(socket, ownsSocket: true));
    }

    public void Shutdown()
    {
        manager.DrainAll();
        foreach (var registry in manager.Registries())
        {
            registry.AbortAll();
        }
    }

    /// <summary>What the proxy does after a change of policy.</summary>
    public async Task ReviewAsync()
    {
        using var review = new PolicyReview(manager.Registries, NullLogger.Instance);
        await review.WalkAsync();
    }

    public bool IsIdle => manager.Registries().All(r => r.IsEmpty);

    public long Stat(string name) => Stats.Read().SingleOrDefault(s => s.Name.Dotted == name)?.Value ?? -1;

    public Task UntilAsync(Func<bool> condition, string what) => Peers.UntilAsync(condition, what);

    public void Dispose()
    {
        manager.DrainAll();
        manager.Dispose();
        origin.Dispose();
        Peers.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            Upstream.Use(new NetworkStream(await origin.AcceptAsync(), ownsSocket: true));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
    }

    private ListenerSnapshot Compile(ListenerConfig config) =>
        compiler.Compile(config, _ => throw new InvalidOperationException("no RDS here"), _ => throw new InvalidOperationException("no TLS here"));
}

/// <summary>For policies without TLS contexts.</summary>
internal sealed class NoPolicyTls : IPolicyTls
{
    public Counter Missing { get; } = new();

    public TlsContextSlot<TlsServerContext>? FindServer(TlsContextConfig context) => null;

    public TlsContextSlot<TlsClientContext>? FindClient(TlsContextConfig context) => null;
}
