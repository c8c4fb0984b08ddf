using System;
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
using Postern.Xds;
using Postern.Xds.Discovery;
using Postern.Xds.Resources;

namespace Postern.Tests.Xds;

/// <summary>Resources as Cilium's agent encodes them, and the way through the decoder.</summary>
internal static class WireResources
{
    public static DecodedResource Decode(ResourceType type, IMessage message, string wrapperName = "", DecodeOptions? options = null) =>
        Decode(type, message.ToByteArray(), wrapperName, options);

    public static DecodedResource Decode(ResourceType type, byte[] bytes, string wrapperName = "", DecodeOptions? options = null) =>
        new ResourceDecoder(options ?? new DecodeOptions())
            .Decode(type, new Any { TypeUrl = type.TypeUrl, Value = ByteString.CopyFrom(bytes) }, wrapperName);

    public static string Refused(ResourceType type, IMessage message, DecodeOptions? options = null) =>
        Assert.Throws<XdsConfigException>(() => Decode(type, message, "", options)).Message;

    public static Duration Seconds(long seconds) => new() { Seconds = seconds };

    public static Listener HttpListener() => new()
    {
        Name = "cilium-http-egress:12345",
        Address = Socket("127.0.0.1", 12345),
        AdditionalAddresses = { new AdditionalAddress { Address = Socket("::1", 12345) } },
        ListenerFilters = { TlsInspector(), Metadata() },
        FilterChains =
        {
            new FilterChain { Filters = { Network(), HttpManager("egress-cluster") } },
            new FilterChain
            {
                FilterChainMatch = new FilterChainMatch { TransportProtocol = "tls" },
                TransportSocket = TlsWrapper(),
                Filters = { Network(), HttpManager("egress-cluster-tls") },
            },
        },
    };

    public static Listener TcpListener() => new()
    {
        Name = "cilium-tcp-egress:12346",
        Address = Socket("127.0.0.1", 12346),
        SocketOptions = { new SocketOption { Description = "keep-alive", Level = 1, Name = 9, IntValue = 1, State = SocketOption.Types.SocketState.StatePrebind } },
        ListenerFilters = { TlsInspector(), Metadata() },
        FilterChains =
        {
            new FilterChain
            {
                FilterChainMatch = new FilterChainMatch { TransportProtocol = "raw_buffer" },
                Filters = { Network(), Tcp("egress-cluster") },
            },
            new FilterChain
            {
                FilterChainMatch = new FilterChainMatch { TransportProtocol = "tls" },
                TransportSocket = TlsWrapper(),
                Filters = { Network(), Tcp("egress-cluster-tls") },
            },
        },
    };

    public static NetworkPolicy PodPolicy() => new()
    {
        EndpointId = 42,
        EndpointIps = { "10.0.0.1" },
        ConntrackMapName = "global",
        IngressPerPortPolicies =
        {
            new PortNetworkPolicy
            {
                Port = 80,
                Rules =
                {
                    new PortNetworkPolicyRule
                    {
                        Name = "r",
                        RemotePolicies = { 1001, 1002 },
                        HttpRules = new HttpNetworkPolicyRules
                        {
                            HttpRules =
                            {
                                new HttpNetworkPolicyRule
                                {
                                    Headers = { new HeaderMatcher { Name = ":path", StringMatch = new() { SafeRegex = new() { Regex = "/public/.*" } } } },
                                    HeaderMatches = { new HeaderMatch { Name = "x-key", Value = "v", MatchAction = HeaderMatch.Types.MatchAction.FailOnMatch } },
                                },
                            },
                        },
                    },
                },
            },
        },
        EgressPerPortPolicies = { new PortNetworkPolicy { Port = 443, EndPort = 445, Rules = { new PortNetworkPolicyRule { Deny = true, DownstreamTlsContext = new TLSContext { TlsSdsSecret = "s" } } } } },
    };

    public static Address Socket(string address, uint port) => new() { SocketAddress = new SocketAddress { Address = address, PortValue = port } };

    public static HttpConnectionManager Manager(Listener listener) =>
        listener.FilterChains[0].Filters[1].TypedConfig.Unpack<HttpConnectionManager>();

    public static void SetManager(Listener listener, HttpConnectionManager manager) =>
        listener.FilterChains[0].Filters[1].TypedConfig = Any.Pack(manager);

    private static ListenerFilter TlsInspector() => new() { Name = "envoy.filters.listener.tls_inspector", TypedConfig = Any.Pack(new TlsInspector()) };

    private static ListenerFilter Metadata() => new()
    {
        Name = "cilium.bpf_metadata",
        TypedConfig = Any.Pack(new BpfMetadata
        {
            UseOriginalSourceAddress = true,
            BpfRoot = "/sys/fs/bpf",
            IpcacheName = "cilium_ipcache_v2",
            CacheEntryTtl = new Duration { Nanos = 3_000_000 },
            ProxyId = 12345,
            OriginalSourceSoLingerTime = 0,
        }),
    };

    private static TransportSocket TlsWrapper() => new() { Name = "cilium.tls_wrapper", TypedConfig = Any.Pack(new DownstreamTlsWrapperContext()) };

    private static Filter Network() => new() { Name = "cilium.network", TypedConfig = Any.Pack(new NetworkFilter()) };

    private static Filter Tcp(string cluster) =>
        new() { Name = "envoy.filters.network.tcp_proxy", TypedConfig = Any.Pack(new TcpProxy { StatPrefix = "tcp_proxy", Cluster = cluster }) };

    private static Filter HttpManager(string cluster) => new()
    {
        Name = "envoy.filters.network.http_connection_manager",
        TypedConfig = Any.Pack(new HttpConnectionManager
        {
            StatPrefix = "proxy",
            UpgradeConfigs = { new HttpConnectionManager.Types.UpgradeConfig { UpgradeType = "websocket" } },
            UseRemoteAddress = true,
            SkipXffAppend = true,
            XffNumTrustedHops = 1,
            StreamIdleTimeout = Seconds(300),
            NormalizePath = true,
            MergeSlashes = true,
            PathWithEscapedSlashesAction = HttpConnectionManager.Types.PathWithEscapedSlashesAction.UnescapeAndRedirect,
            InternalAddressConfig = new() { CidrRanges = { new CidrRange { AddressPrefix = "10.0.0.0", PrefixLen = 8 } } },
            HttpFilters =
            {
                new HttpFilter { Name = "cilium.l7policy", TypedConfig = Any.Pack(new L7Policy { AccessLogPath = "/a.sock", Denied403Body = "no" }) },
                new HttpFilter { Name = "envoy.filters.http.router", TypedConfig = Any.Pack(new Router()) },
            },
            RouteConfig = new RouteConfiguration
            {
                VirtualHosts =
                {
                    new VirtualHost
                    {
                        Name = "default_route",
                        Domains = { "*" },
                        Routes =
                        {
                            new Route { Match = new RouteMatch { Prefix = "/", Grpc = new() }, Route_ = Action(cluster, grpc: true) },
                            new Route { Match = new RouteMatch { Prefix = "/" }, Route_ = Action(cluster, grpc: false) },
                        },
                    },
                },
            },
        }),
    };

    private static RouteAction Action(string cluster, bool grpc) => new()
    {
        Cluster = cluster,
        Timeout = Seconds(3600),
        IdleTimeout = grpc ? null : Seconds(60),
        MaxStreamDuration = grpc ? new() { GrpcTimeoutHeaderMax = Seconds(0) } : null,
        RetryPolicy = new RetryPolicy { RetryOn = "5xx", NumRetries = 3, PerTryTimeout = Seconds(0) },
    };
}
