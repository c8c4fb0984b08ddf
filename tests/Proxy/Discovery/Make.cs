using System;
using System.Net;
using Postern.Policy.Config;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Discovery;

/// <summary>Short forms of configuration records; each call makes new objects.</summary>
internal static class Make
{
    public static readonly GrpcSourceConfig Plane = new("control-plane", DiscoveryVariant.StateOfTheWorld, TimeSpan.FromSeconds(15));

    public static (string, object) Eds(string name, int seconds = 5, string? service = null) =>
        (name, new ClusterConfig(name, ClusterType.Eds, TimeSpan.FromSeconds(seconds), []) { Eds = new EdsConfig(service ?? name, Plane) });

    public static (string, object) Fixed(string name, int port, int seconds = 5) =>
        (name, new ClusterConfig(name, ClusterType.Static, TimeSpan.FromSeconds(seconds), [new IPEndPoint(IPAddress.Loopback, port)]));

    public static (string, object) Endpoints(string name, params int[] ports)
    {
        var list = Array.ConvertAll(ports, port => new LbEndpointConfig(new IPEndPoint(IPAddress.Loopback, port), 0, 1, true));
        return (name, new EndpointsConfig(name, list.ToEquatableList()));
    }

    public static (string, object) Rds(string name, int port, string table, int backlog = 0) => Listener(name, port, Http(null, new RdsConfig(table, Plane)), backlog);

    public static (string, object) Inline(string name, int port, string cluster, int backlog = 0) => Listener(name, port, Http(Table("inline", cluster), null), backlog);

    public static (string, object) Tcp(string name, int port, string cluster, int backlog = 0) =>
        Listener(name, port, new FilterChainConfig("", null, [new TcpProxyConfig("t", cluster, null)]), backlog);

    public static (string, object) WithPolicy(string name, int port, ConfigSourceConfig source)
    {
        var (_, config) = Inline(name, port, "orig");
        return (name, (ListenerConfig)config with { Transparent = true, ListenerFilters = [new BpfMetadataConfig { IsIngress = true, PolicySource = source }] });
    }

    public static (string, object) Routes(string name, string cluster, string prefix = "/") => (name, Table(name, cluster, prefix));

    public static (string, object) Policy(ulong id, string address, string secret = "", uint remote = 7) => (id.ToString(System.Globalization.CultureInfo.InvariantCulture), new NetworkPolicyConfig(
        id.ToString(System.Globalization.CultureInfo.InvariantCulture),
        id,
        [address],
        [new PortNetworkPolicyConfig(80, 0, PolicyProtocol.Tcp, [new PortRuleConfig { RemotePolicies = [remote], HttpRules = secret.Length == 0 ? null : [new HttpRuleConfig([], [new HeaderMatchConfig("token", "", MatchAction.ContinueOnMatch, MismatchAction.FailOnMismatch, secret)])] }])],
        []));

    public static (string, object) Hosts(ulong identity, params string[] addresses) =>
        (identity.ToString(System.Globalization.CultureInfo.InvariantCulture), new NetworkPolicyHostsConfig(identity, addresses.ToEquatableList()));

    private static (string, object) Listener(string name, int port, FilterChainConfig chain, int backlog) =>
        (name, new ListenerConfig { Name = name, Addresses = [new IPEndPoint(IPAddress.Loopback, port)], FilterChains = [chain], TcpBacklogSize = backlog });

    private static FilterChainConfig Http(RouteConfig? inline, RdsConfig? rds) =>
        new("", null, [new HttpConnectionManagerConfig { StatPrefix = "h", RouteConfig = inline, Rds = rds, HttpFilters = [new RouterConfig()] }]);

    private static RouteConfig Table(string name, string cluster, string prefix = "/") =>
        new(name, [new VirtualHostConfig("v", ["*"], [new RouteEntryConfig("", StringMatchKind.Prefix, prefix, [], false, cluster, null, null)])]);
}
