using System;
using System.Net;
using Cilium;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Listener.TlsInspector.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Postern.Agent.Compile;
using Postern.Policy;
using SocketAddress = Envoy.Config.Core.V3.SocketAddress;

namespace Postern.Agent.Envoy;

/// <summary>
/// The listeners that endpoints' traffic is steered to, one for each direction and kind. They are Cilium's but for what the proxy does not do (no
/// proxylib, no eBPF maps: identities come as NPHDS), and but for ports with HTTP rules where no rule has TLS terminated: there it is passed through where
/// policy allows that without looking inside (docs/decisions/0007-opaque-connections-and-tls-contexts.md), where Cilium's listener takes it for broken HTTP.
/// </summary>
public static class AgentListeners
{
    /// <summary>Makes the resource.</summary>
    public static Listener Build(AgentListener agentListener, AgentListenerOptions options)
    {
        var cluster = agentListener.Direction == TrafficDirection.Ingress ? AgentBootstrap.IngressCluster : AgentBootstrap.EgressCluster;
        var listener = new Listener
        {
            Name = agentListener.Name,
            ListenerFilters =
            {
                new ListenerFilter { Name = "envoy.filters.listener.tls_inspector", TypedConfig = Any.Pack(new TlsInspector()) },
                new ListenerFilter { Name = "cilium.bpf_metadata", TypedConfig = Any.Pack(Metadata(agentListener, options)) },
            },
        };
        Bind(listener, agentListener.Port, options);
        if (agentListener.Kind == RedirectKind.Tcp)
        {
            listener.FilterChains.Add(Chain("tcp", options, Relay(cluster)));
        }
        else
        {
            listener.FilterChains.Add(Chain("http", options, Http(cluster, options)));
        }
        listener.FilterChains.Add(Tls(agentListener.Kind, cluster, options));
        return listener;
    }

    /// <summary>Gives a listener its addresses: loopback, with the allocated port.</summary>
    internal static void Bind(Listener listener, ushort port, AgentListenerOptions options)
    {
        listener.Address = At(IPAddress.Loopback, port);
        listener.AdditionalAddresses.Clear();
        if (options.HasIPv6)
        {
            listener.AdditionalAddresses.Add(new AdditionalAddress { Address = At(IPAddress.IPv6Loopback, port) });
        }
    }

    private static Address At(IPAddress address, ushort port) =>
        new() { SocketAddress = new SocketAddress { Address = address.ToString(), PortValue = port } };

    private static BpfMetadata Metadata(AgentListener listener, AgentListenerOptions options) => new()
    {
        IsIngress = listener.Direction == TrafficDirection.Ingress,
        UseOriginalSourceAddress = true,
        ProxyId = listener.Port,
        UseNphds = true,
        CiliumConfigSource = options.PolicySource ?? AgentSources.Grpc(),
    };

    private static FilterChain Chain(string name, AgentListenerOptions options, Filter terminal) => new()
    {
        Name = name,
        Filters = { Filter("cilium.network", new NetworkFilter { AccessLogPath = options.AccessLogPath }), terminal },
    };

    private static FilterChain Tls(RedirectKind kind, string cluster, AgentListenerOptions options)
    {
        var inside = cluster + AgentBootstrap.TlsSuffix;
        var chain = Chain("tls", options, kind switch
        {
            RedirectKind.Https => Http(inside, options),
            RedirectKind.Http => Relay(cluster), // passed through: what a server is to see encrypted twice is refused
            _ => Relay(inside),
        });
        chain.FilterChainMatch = new FilterChainMatch { TransportProtocol = "tls" };
        if (kind != RedirectKind.Http)
        {
            chain.TransportSocket = new TransportSocket { Name = "cilium.tls_wrapper", TypedConfig = Any.Pack(new DownstreamTlsWrapperContext()) };
        }
        return chain;
    }

    private static Filter Filter(string name, IMessage config) => new() { Name = name, TypedConfig = Any.Pack(config) };

    private static Filter Relay(string cluster) => Filter("envoy.filters.network.tcp_proxy", new TcpProxy { StatPrefix = "tcp_proxy", Cluster = cluster });

    private static Filter Http(string cluster, AgentListenerOptions options) => Filter("envoy.filters.network.http_connection_manager", new HttpConnectionManager
    {
        StatPrefix = "proxy",
        UseRemoteAddress = true,
        SkipXffAppend = true,
        StreamIdleTimeout = Duration.FromTimeSpan(options.StreamIdleTimeout),
        UpgradeConfigs = { new HttpConnectionManager.Types.UpgradeConfig { UpgradeType = "websocket" } },
        RouteConfig = new RouteConfiguration
        {
            VirtualHosts = { new VirtualHost { Name = "default_route", Domains = { "*" }, Routes = { Grpc(cluster, options), Otherwise(cluster, options) } } },
        },
        HttpFilters =
        {
            new HttpFilter
            {
                Name = "cilium.l7policy",
                TypedConfig = Any.Pack(new L7Policy { AccessLogPath = options.AccessLogPath, Denied403Body = options.Denied403Body }),
            },
            new HttpFilter { Name = "envoy.filters.http.router", TypedConfig = Any.Pack(new Router()) },
        },
    });

    // gRPC streams live long and may be silent: no idle timeout. How long one may take the caller says (grpc-timeout), without a bound of ours.
    private static Route Grpc(string cluster, AgentListenerOptions options) => new()
    {
        Match = new RouteMatch { Prefix = "/", Grpc = new RouteMatch.Types.GrpcRouteMatchOptions() },
        Route_ = new RouteAction
        {
            Cluster = cluster,
            Timeout = Duration.FromTimeSpan(options.RequestTimeout),
            MaxStreamDuration = new RouteAction.Types.MaxStreamDuration { GrpcTimeoutHeaderMax = new Duration() },
        },
    };

    private static Route Otherwise(string cluster, AgentListenerOptions options)
    {
        var action = new RouteAction { Cluster = cluster, Timeout = Duration.FromTimeSpan(options.RequestTimeout) };
        if (options.IdleTimeout > TimeSpan.Zero)
        {
            action.IdleTimeout = Duration.FromTimeSpan(options.IdleTimeout);
        }
        return new Route { Match = new RouteMatch { Prefix = "/" }, Route_ = action };
    }
}
