using System;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Postern.Xds.Config;
using Postern.Xds.Text;
using HttpOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;
using Specifier = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions.UpstreamProtocolOptionsOneofCase;

namespace Postern.Xds.Resources;

/// <summary><c>typed_extension_protocol_options</c>, and what older clusters write in its place: which HTTP a cluster is spoken to with, and its bounds.</summary>
internal static class UpstreamProtocols
{
    private const string HttpKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    /// <summary>Adds what the cluster says to <paramref name="config"/>.</summary>
    public static ClusterConfig Apply(Cluster cluster, ClusterConfig config, ConfigPath path)
    {
        if (cluster.Http2ProtocolOptions is { } old)
        {
            config = config with { HttpProtocol = ClusterHttpProtocol.Http2, Http2 = Http2Protocols.ToConfig(old, path.Field("http2_protocol_options")) };
        }
        path = path.Field("typed_extension_protocol_options");
        foreach (var (key, any) in cluster.TypedExtensionProtocolOptions)
        {
            var at = path.Key(key);
            if (key != HttpKey || TypedConfig.Unpack(any, at) is not HttpOptions options)
            {
                throw at.Error($"options of this extension are not built in; only {HttpKey} is");
            }
            config = Common(options.CommonHttpProtocolOptions, Protocol(options, config, at), at.Field("common_http_protocol_options")) with
            {
                AutoSni = options.UpstreamHttpProtocolOptions?.AutoSni ?? false,
                AutoSanValidation = options.UpstreamHttpProtocolOptions?.AutoSanValidation ?? false,
            };
        }
        return config;
    }

    private static ClusterConfig Protocol(HttpOptions options, ClusterConfig config, ConfigPath path)
    {
        switch (options.UpstreamProtocolOptionsCase)
        {
            case Specifier.ExplicitHttpConfig:
                path = path.Field("explicit_http_config");
                return options.ExplicitHttpConfig switch
                {
                    { Http2ProtocolOptions: { } http2 } => Of(ClusterHttpProtocol.Http2, null, http2, config, path),
                    { HttpProtocolOptions: { } http1 } => Of(ClusterHttpProtocol.Http1, http1, null, config, path),
                    _ => throw path.Error("needs http_protocol_options or http2_protocol_options"),
                };
            case Specifier.UseDownstreamProtocolConfig:
                var downstream = options.UseDownstreamProtocolConfig;
                return Of(ClusterHttpProtocol.Downstream, downstream.HttpProtocolOptions, downstream.Http2ProtocolOptions, config, path.Field("use_downstream_protocol_config"));
            case Specifier.AutoConfig:
                return Of(ClusterHttpProtocol.Auto, options.AutoConfig.HttpProtocolOptions, options.AutoConfig.Http2ProtocolOptions, config, path.Field("auto_config"));
            default:
                return config; // only common ones: Envoy refuses that, agents before 2021 wrote it
        }
    }

    private static ClusterConfig Of(ClusterHttpProtocol protocol, Http1ProtocolOptions? http1, Http2ProtocolOptions? http2, ClusterConfig config, ConfigPath path)
    {
        Http1Protocols.Check(http1, path.Field("http_protocol_options"));
        return config with
        {
            HttpProtocol = protocol,
            Http2 = http2 is null ? config.Http2 : Http2Protocols.ToConfig(http2, path.Field("http2_protocol_options")),
        };
    }

    // Of the rest: underscores are for clients, as in Envoy; a response's head has its own bound; a stream's duration is the listener's.
    private static ClusterConfig Common(HttpProtocolOptions? common, ClusterConfig config, ConfigPath path) => common is null ? config : config with
    {
        IdleTimeout = Durations.OrOff(common.IdleTimeout, TimeSpan.FromHours(1), path.Field("idle_timeout")),
        MaxConnectionDuration = Durations.OrOff(common.MaxConnectionDuration, TimeSpan.Zero, path.Field("max_connection_duration")),
        MaxRequestsPerConnection = Numbers.Count(common.MaxRequestsPerConnection, path.Field("max_requests_per_connection")),
    };
}
