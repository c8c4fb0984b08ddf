using Cilium;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Postern.Tests.Netns.Proxy;

namespace Postern.Tests.Netns.ControlPlane;

/// <summary>The texts of <see cref="ConfigText"/> as messages, the way a control plane would send them.</summary>
internal static class Resources
{
    private static readonly JsonParser Parser = new(new JsonParser.Settings(64, TypeRegistry.FromMessages(
        BpfMetadata.Descriptor,
        NetworkFilter.Descriptor,
        L7Policy.Descriptor,
        Envoy.Extensions.Filters.Listener.TlsInspector.V3.TlsInspector.Descriptor,
        Envoy.Extensions.Filters.Network.TcpProxy.V3.TcpProxy.Descriptor,
        Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Descriptor,
        Envoy.Extensions.Filters.Http.Router.V3.Router.Descriptor)));

    internal static (string Name, IMessage Message) Listener(string json) => Named(Parser.Parse<Listener>(json), l => l.Name);

    internal static (string Name, IMessage Message) Cluster(string json) => Named(Parser.Parse<Cluster>(json), c => c.Name);

    /// <summary>The table "table": each prefix to a cluster.</summary>
    internal static (string Name, IMessage Message) Routes(params (string Prefix, string Cluster)[] routes)
    {
        var host = new VirtualHost { Name = "all", Domains = { "*" } };
        foreach (var (prefix, cluster) in routes)
        {
            host.Routes.Add(new Route { Match = new RouteMatch { Prefix = prefix }, Route_ = new RouteAction { Cluster = cluster } });
        }
        return ("table", new RouteConfiguration { Name = "table", VirtualHosts = { host } });
    }

    /// <summary>Endpoints of "svc": ports of the server.</summary>
    internal static (string Name, IMessage Message) Endpoints(params uint[] ports)
    {
        var group = new LocalityLbEndpoints();
        foreach (var port in ports)
        {
            var address = new Address { SocketAddress = new SocketAddress { Address = ProxyRig.Server, PortValue = port } };
            group.LbEndpoints.Add(new LbEndpoint { Endpoint = new Endpoint { Address = address } });
        }
        return ("svc", new ClusterLoadAssignment { ClusterName = "svc", Endpoints = { group } });
    }

    internal static (string Name, IMessage Message) Secret(string name, string value) =>
        (name, new Secret { Name = name, GenericSecret = new GenericSecret { Secret = new DataSource { InlineString = value } } });

    /// <summary>A listener on loopback without policy.</summary>
    internal static (string Name, IMessage Message) Plain(string name, int port, string cluster, string rds = "") =>
        Listener(ConfigText.Plain(name, "127.0.0.1", port, cluster, rds));

    internal static (string Name, IMessage Message) Original { get; } = Cluster(ConfigText.OriginalDst);

    /// <summary>From the text of <see cref="ConfigText.ServerAccepts"/> and so on.</summary>
    internal static (string Name, IMessage Message) Policy(string json) => Named(Parser.Parse<NetworkPolicy>(WithoutType(json)), p => p.EndpointId.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>The hosts of <see cref="ConfigText.Policy"/>.</summary>
    internal static (string Name, IMessage Message)[] Hosts { get; } =
    [
        Host(1001, ProxyRig.Client + "/32", ProxyRig.ClientV6 + "/128"),
        Host(1002, ProxyRig.Other + "/32", ProxyRig.OtherV6 + "/128"),
        Host(2001, ProxyRig.Server + "/32", ProxyRig.ServerV6 + "/128"),
    ];

    internal static (string Name, IMessage Message) Host(ulong identity, params string[] prefixes) =>
        (identity.ToString(System.Globalization.CultureInfo.InvariantCulture), new NetworkPolicyHosts { Policy = identity, HostAddresses = { prefixes } });

    private static (string Name, IMessage Message) Named<T>(T message, System.Func<T, string> name)
        where T : IMessage => (name(message), message);

    private static string WithoutType(string json)
    {
        var from = json.IndexOf("\"@type\"", System.StringComparison.Ordinal);
        var to = json.IndexOf(',', from) + 1;
        return json[..from] + json[to..];
    }
}
