using System;
using System.Collections.Generic;
using System.Net;
using Postern.Filters;
using Postern.Filters.Http;
using Postern.Filters.Listener;
using Postern.Filters.Network.Bytes;
using Postern.Filters.Network.WebSocket;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Proxy.Http;
using Postern.Proxy.Http2;
using Postern.Proxy.Listeners;
using Postern.Proxy.Stats;
using Postern.Proxy.Tls;
using Postern.Proxy.Upstream;
using Postern.Records;
using Postern.Xds.Config;

namespace Postern.Proxy.Lifecycle;

/// <summary>Turns a validated listener configuration into what the data path runs. Touches nothing that is in force.</summary>
internal sealed class SnapshotCompiler(
    Func<string, ClusterSnapshot?> clusters,
    IPolicySource policy,
    IPolicyTls policyTls,
    SnapshotParts parts)
{
    private static readonly TimeSpan HeadTimeout = TimeSpan.FromSeconds(30); // where the listener names none: a head may not take for ever

    /// <summary>Compiles a listener.</summary>
    /// <param name="config">Validated.</param>
    /// <param name="routes">Gives the slot of a route table that comes by RDS.</param>
    /// <param name="tls">Gives the context of a chain that has TLS of its own.</param>
    /// <exception cref="PolicyConfigException">Something in it cannot be compiled.</exception>
    public ListenerSnapshot Compile(ListenerConfig config, Func<RdsConfig, RouteSlot> routes, Func<FilterChainConfig, TlsContextSlot<TlsServerContext>> tls)
    {
        var scopes = new List<StatsScope>();
        try
        {
            return Compile(config, routes, tls, scopes);
        }
        catch
        {
            foreach (var scope in scopes)
            {
                parts.Stats.Release(scope);
            }
            throw;
        }
    }

    private ListenerSnapshot Compile(
        ListenerConfig config, Func<RdsConfig, RouteSlot> routes, Func<FilterChainConfig, TlsContextSlot<TlsServerContext>> contexts, List<StatsScope> scopes)
    {
        var plain = parts.Sinks("");
        BpfMetadata? metadata = null;
        bool tls = false, http = false, originalDst = false;
        var maxInspect = 64 * 1024;
        foreach (var filter in config.ListenerFilters)
        {
            switch (filter)
            {
                case TlsInspectorConfig inspector:
                    tls = true;
                    maxInspect = inspector.MaxClientHelloBytes;
                    break;
                case HttpInspectorConfig:
                    http = true;
                    break;
                case OriginalDstConfig:
                    originalDst = true;
                    break;
                case BpfMetadataConfig bpf:
                    metadata = Metadata(bpf, policy, parts.IsOnlyDatapath);
                    break;
                default:
                    throw new PolicyConfigException($"listener filter {filter.GetType().Name} has no implementation");
            }
        }
        var chains = new List<(FilterChainMatchConfig?, ChainSnapshot)>();
        foreach (var chain in config.FilterChains)
        {
            chains.Add((chain.Match, Chain(config, chain, plain, routes, Tls(chain, contexts), scopes)));
        }
        var fallback = config.DefaultFilterChain is { } last ? Chain(config, last, plain, routes, Tls(last, contexts), scopes) : null;
        return new ListenerSnapshot
        {
            Config = config,
            InspectTls = tls,
            InspectHttp = http,
            MaxInspectBytes = maxInspect,
            Metadata = metadata,
            OriginalDst = originalDst,
            Chains = new FilterChainMatcher<ChainSnapshot>(chains, fallback),
            Sink = plain,
            StatsScopes = [.. scopes],
        };
    }

    /// <summary>The listener filter as it is configured, over these policies.</summary>
    public static BpfMetadata Metadata(BpfMetadataConfig config, IPolicySource policy, bool isOnlyDatapath) => new()
    {
        IsOnlyDatapath = isOnlyDatapath,
        Direction = config.IsIngress ? TrafficDirection.Ingress : TrafficDirection.Egress,
        ProxyId = config.ProxyId,
        UseOriginalSourceAddress = config.UseOriginalSourceAddress,
        Ipv4SourceAddress = config.Ipv4SourceAddress,
        Ipv6SourceAddress = config.Ipv6SourceAddress,
        OriginalSourceSoLingerTime = config.OriginalSourceSoLingerTime,
        IsL7Lb = config.IsL7Lb,
        EnforcePolicyOnL7Lb = config.EnforcePolicyOnL7Lb,
        L7LbPolicyName = config.L7LbPolicyName,
        MarkUpstream = true,
        Policy = policy,
    };

    private DownstreamTls? Tls(FilterChainConfig chain, Func<FilterChainConfig, TlsContextSlot<TlsServerContext>> contexts) => chain switch
    {
        { Tls: not null } => new DownstreamTls(contexts(chain), null, chain.HandshakeTimeout ?? DownstreamTls.DefaultTimeout),
        { TlsByPolicy: true } => new DownstreamTls(null, policyTls, chain.HandshakeTimeout ?? DownstreamTls.DefaultTimeout),
        _ => null,
    };

    private ChainSnapshot Chain(
        ListenerConfig listener, FilterChainConfig config, IRecordSink plain, Func<RdsConfig, RouteSlot> routes, DownstreamTls? tls, List<StatsScope> scopes)
    {
        var judges = false;
        var sink = plain;
        HttpListenerSnapshot? http = null;
        TcpProxySnapshot? tcp = null;
        var bytes = new List<IByteFilterFactory>();
        var late = false;
        foreach (var filter in config.Filters)
        {
            switch (filter)
            {
                case CiliumNetworkConfig network:
                    judges = true;
                    late = bytes.Exists(static filter => filter.MovesDestination);
                    sink = parts.Sinks(network.AccessLogPath);
                    break;
                case TcpProxyConfig proxy:
                    var stats = TcpStats.In(parts.Stats, proxy.StatPrefix);
                    scopes.Add(stats.Scope);
                    tcp = new TcpProxySnapshot(proxy.Cluster, () => clusters(proxy.Cluster), proxy.IdleTimeout, proxy.MaxDownstreamConnectionDuration) { Stats = stats };
                    break;
                case WebSocketConfig socket:
                    bytes.Add(WebSocket(socket));
                    break;
                case HttpConnectionManagerConfig manager:
                    http = Http(listener, manager, plain, routes, scopes);
                    break;
                default:
                    throw new PolicyConfigException($"network filter {filter.GetType().Name} has no implementation");
            }
        }
        if ((http is null) == (tcp is null))
        {
            throw new PolicyConfigException($"filter chain \"{config.Name}\" of listener {listener.Name} must end in exactly one of http_connection_manager and tcp_proxy");
        }
        return new ChainSnapshot { Name = config.Name, JudgesConnection = judges, Sink = sink, Tls = tls, Http = http, Tcp = tcp, ByteFilters = [.. bytes], JudgesAfterFilters = late };
    }

    // Lower case: these are compared, and a client's sent, without regard to case.
    private WebSocketFilters WebSocket(WebSocketConfig config)
    {
        var options = new WebSocketOptions
        {
            Host = config.Host.ToLowerInvariant(),
            Path = config.Path.ToLowerInvariant(),
            Key = config.Key.Length > 0 || config.Role == WebSocketRole.Client ? AcceptKey.Encode(config.Key) : "",
            Version = config.Version.ToLowerInvariant(),
            Origin = config.Origin.ToLowerInvariant(),
            HandshakeMillis = (long)config.HandshakeTimeout.TotalMilliseconds,
            PingMillis = config.PingInterval is { } ping ? Math.Max(1, (long)ping.TotalMilliseconds) : 0,
            PingWhenIdle = config.PingWhenIdle,
        };
        return new WebSocketFilters(options, config.Role == WebSocketRole.Server, parts.Sinks(config.AccessLogPath), parts.Stats.WebSocket);
    }

    private HttpListenerSnapshot Http(ListenerConfig listener, HttpConnectionManagerConfig config, IRecordSink plain, Func<RdsConfig, RouteSlot> routes, List<StatsScope> scopes)
    {
        var filters = new List<IHttpFilter>();
        var sink = plain;
        foreach (var filter in config.HttpFilters)
        {
            switch (filter)
            {
                case L7PolicyConfig policy:
                    sink = parts.Sinks(policy.AccessLogPath);
                    filters.Add(new L7PolicyFilter(policy.Denied403Body, sink));
                    break;
                case RouterConfig:
                    break; // the engine itself, always last
                default:
                    throw new PolicyConfigException($"HTTP filter {filter.GetType().Name} has no implementation");
            }
        }
        var stats = HttpStats.In(parts.Stats, config.StatPrefix);
        scopes.Add(stats.Scope);
        return new HttpListenerSnapshot(
            listener.Name,
            [.. filters],
            Routes(listener, config, routes),
            sink,
            config.IdleTimeout,
            config.StreamIdleTimeout,
            config.RequestHeadersTimeout ?? HeadTimeout,
            config.MaxRequestHeadersKb * 1024,
            config.MaxHeadersCount)
        {
            Stats = stats,
            Codec = config.Codec,
            Http2 = Http2Settings.Compile(config.Http2) with { DrainMillis = Http2Settings.Millis(config.DrainTimeout) },
            Upgrades = new UpgradeRules(config.Upgrades),
            RequestTimeout = config.RequestTimeout,
            MaxConnectionDuration = config.MaxConnectionDuration,
            MaxStreamDuration = config.MaxStreamDuration,
            MaxRequestsPerConnection = config.MaxRequestsPerConnection,
            DelayedCloseTimeout = config.DelayedCloseTimeout,
            Overload = parts.Overload,
            Paths = new PathRules(config.NormalizePath, config.MergeSlashes, config.EscapedSlashesAction),
            Hosts = new HostRules(config.HostPortStripping, config.StripTrailingHostDot),
            Server = new ServerHeader(config.ServerHeaderAction, config.ServerName),
            Underscores = config.UnderscoresAction,
            Forwarded = Forwarded(config),
            Via = config.Via,
            RequestIds = new RequestIds(config.GenerateRequestId, config.PreserveExternalRequestId, config.AlwaysSetRequestIdInResponse),
        };
    }

    private static ForwardedHeaders Forwarded(HttpConnectionManagerConfig config)
    {
        var ranges = new IPNetwork[config.InternalRanges.Count];
        for (var i = 0; i < ranges.Length; i++)
        {
            ranges[i] = new IPNetwork(config.InternalRanges[i].Address, config.InternalRanges[i].PrefixLength);
        }
        return new ForwardedHeaders(config.UseRemoteAddress, config.UseRemoteAddress && !config.SkipXffAppend, config.XffTrustedHops, ranges);
    }

    private RouteSlot Routes(ListenerConfig listener, HttpConnectionManagerConfig config, Func<RdsConfig, RouteSlot> routes)
    {
        if (config.RouteConfig is { } inline)
        {
            return new RouteSlot(new RouteTable(inline, clusters));
        }
        return routes(config.Rds ?? throw new PolicyConfigException($"http_connection_manager of listener {listener.Name} has neither route_config nor rds"));
    }
}
