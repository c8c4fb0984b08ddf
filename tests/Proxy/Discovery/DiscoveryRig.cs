using System;
using System.Collections.Generic;
using System.Linq;
using Postern.Proxy.Admin;
using Postern.Proxy.Discovery;
using Postern.Proxy.Lifecycle;
using Postern.Proxy.Stats;
using Postern.Proxy.Http;
using Postern.Proxy.LastGood;
using Postern.Records;
using Postern.Tests.Proxy.InMemory;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Tests.Proxy.Discovery;

/// <summary>Everything between a control plane and the listeners, with both ends played by the test.</summary>
internal sealed class DiscoveryRig : IDisposable
{
    private readonly LastGoodSubscriber? lastGood;
    private readonly StateKeeper? keeper;

    public DiscoveryRig(FakeClock? clock = null, string? stateDir = null, BootstrapConfig? bootstrap = null, IListenerHost? host = null, TimeSpan? maxAge = null, RecordList? records = null, StatsRegistry? stats = null)
    {
        Clock = clock ?? new FakeClock();
        bootstrap ??= Bootstrap();
        var gate = new ChangeGate(Clock);
        ISubscriber subscriber = new DirectSubscriber(Plane);
        if (stateDir is not null)
        {
            keeper = new StateKeeper(StateDirectory.Open(stateDir), bootstrap, maxAge ?? TimeSpan.FromHours(24), Clock, Lines.Add);
            subscriber = lastGood = new LastGoodSubscriber(Plane, keeper, new FakeDecoder(), gate, Lines.Add);
        }
        Resources = new DynamicResources(bootstrap, subscriber, gate, host ?? Host, new SnapshotParts(_ => records ?? new RecordList(), stats ?? new StatsRegistry(), IsOnlyDatapath: false), Lines.Add, Lines.Add);
        Assert.Empty(Resources.Start());
    }

    public FakeDiscovery Plane { get; } = new();

    public FakeClock Clock { get; }

    public FakeHost Host { get; } = new();

    public DynamicResources Resources { get; }

    /// <summary>Log lines.</summary>
    public List<string> Lines { get; } = [];

    public string Detail => lastGood?.Detail ?? "";

    public static BootstrapConfig Bootstrap(params (string Name, object Config)[] statics) => new()
    {
        Node = new Envoy.Config.Core.V3.Node { Id = "node-1" },
        StaticClusters = statics.Select(s => s.Config).OfType<ClusterConfig>()
            .Append(new ClusterConfig("orig", ClusterType.OriginalDst, TimeSpan.FromSeconds(5), []))
            .Concat(from name in (string[])["control-plane", "agent", "other"] select (ClusterConfig)Make.Fixed(name, 1).Item2)
            .ToEquatable(),
        StaticListeners = statics.Select(s => s.Config).OfType<ListenerConfig>().ToEquatable(),
        StaticSecrets = statics.Select(s => s.Config).OfType<SecretConfig>().ToEquatable(),
        CdsSource = Make.Plane,
        LdsSource = Make.Plane,
    };

    /// <summary>What <c>/xds</c> shows of a resource.</summary>
    public ResourceStatus? Status(string type, string name) => Resources.ReadStatus().SingleOrDefault(s => s.Type.ShortName == type && s.Name == name);

    /// <summary>The route table that requests of a listener meet now.</summary>
    public RouteTable? Table(string listener)
    {
        var traits = new Postern.Proxy.Listeners.ConnectionTraits(new(System.Net.IPAddress.Loopback, 1), new(System.Net.IPAddress.Loopback, 2), "", "raw_buffer", []);
        return Host.Open[listener].Chains.Match(traits)!.Http!.Routes.Current;
    }

    /// <summary>Ports that a cluster picks, over as many turns.</summary>
    public List<int> Ports(string cluster, int turns = 4)
    {
        var ports = new List<int>();
        for (var i = 0; i < turns; i++)
        {
            if (Resources.FindCluster(cluster)?.Pick(new(System.Net.IPAddress.Loopback, 9)) is System.Net.IPEndPoint endpoint && !ports.Contains(endpoint.Port))
            {
                ports.Add(endpoint.Port);
            }
        }
        ports.Sort();
        return ports;
    }

    /// <summary>The process ends: what is to be written is written.</summary>
    public void Dispose()
    {
        Resources.Dispose();
        lastGood?.Dispose();
        keeper?.Dispose();
    }
}

internal static class Equatable
{
    public static Postern.Policy.Config.EquatableList<T> ToEquatable<T>(this IEnumerable<T> items) => Postern.Policy.Config.EquatableList.ToEquatableList(items);
}
