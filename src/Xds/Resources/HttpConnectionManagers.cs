using System;
using Cilium;
using Envoy.Config.Core.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.Collections;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Text;
using Underscored = Envoy.Config.Core.V3.HttpProtocolOptions.Types.HeadersWithUnderscoresAction;
using PathAction = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.PathWithEscapedSlashesAction;

namespace Postern.Xds.Resources;

/// <summary>
/// <c>envoy.filters.network.http_connection_manager</c>. Nothing is added to a message that its configuration does not ask for, so silence
/// leaves headers alone where Envoy's default is to add, and of the router's x-envoy-* only the value that does is accepted.
/// </summary>
internal static class HttpConnectionManagers
{
    private const uint DefaultHeadersKb = 60;
    private const uint MaxHeadersKb = 8192;
    private const uint DefaultHeadersCount = 100;
    private const uint MaxHeadersCount = 100_000;
    private const string DefaultServerName = "envoy"; // what its page promises where server_name is left out
    private const uint MaxTrustedHops = 1000;

    /// <summary>Validates the filter.</summary>
    public static HttpConnectionManagerConfig ToConfig(HttpConnectionManager manager, ConfigPath path)
    {
        var kb = manager.MaxRequestHeadersKb ?? DefaultHeadersKb;
        if (kb is 0 or > MaxHeadersKb)
        {
            throw path.Field("max_request_headers_kb").Error($"{kb} is not within 1 to {MaxHeadersKb}");
        }
        var common = manager.CommonHttpProtocolOptions;
        var commonPath = path.Field("common_http_protocol_options");
        var count = common?.MaxHeadersCount ?? DefaultHeadersCount;
        if (count is 0 or > MaxHeadersCount)
        {
            throw commonPath.Field("max_headers_count").Error($"{count} is not within 1 to {MaxHeadersCount}");
        }
        if (manager.XffNumTrustedHops > MaxTrustedHops)
        {
            throw path.Field("xff_num_trusted_hops").Error($"{manager.XffNumTrustedHops} is not within 0 to {MaxTrustedHops}");
        }
        Http1Protocols.Check(manager.HttpProtocolOptions, path.Field("http_protocol_options"));
        return new HttpConnectionManagerConfig
        {
            StatPrefix = TypedConfig.Required(manager.StatPrefix, path.Field("stat_prefix")),
            RouteConfig = manager.RouteConfig is { } routes ? Routes.ToConfig(routes, path.Field("route_config")) : null,
            Rds = RouteSource(manager, path),
            HttpFilters = Filters(manager.HttpFilters, path.Field("http_filters")),
            IdleTimeout = Durations.OrOff(common?.IdleTimeout, TimeSpan.FromHours(1), commonPath.Field("idle_timeout")),
            StreamIdleTimeout = Durations.OrOff(manager.StreamIdleTimeout, TimeSpan.FromMinutes(5), path.Field("stream_idle_timeout")),
            RequestHeadersTimeout = Durations.OrOff(manager.RequestHeadersTimeout, TimeSpan.Zero, path.Field("request_headers_timeout")),
            Codec = Codec(manager.CodecType, path.Field("codec_type")),
            Http2 = Http2Protocols.ToConfig(manager.Http2ProtocolOptions, path.Field("http2_protocol_options")),
            Upgrades = Upgrades.ToConfig(manager.UpgradeConfigs, path.Field("upgrade_configs")),
            RequestTimeout = Durations.OrOff(manager.RequestTimeout, TimeSpan.Zero, path.Field("request_timeout")),
            MaxConnectionDuration = Durations.OrOff(common?.MaxConnectionDuration, TimeSpan.Zero, commonPath.Field("max_connection_duration")),
            MaxStreamDuration = Durations.OrOff(common?.MaxStreamDuration, TimeSpan.Zero, commonPath.Field("max_stream_duration")),
            MaxRequestsPerConnection = Numbers.Count(common?.MaxRequestsPerConnection, commonPath.Field("max_requests_per_connection")),
            DrainTimeout = Durations.ToTimeSpan(manager.DrainTimeout, TimeSpan.FromSeconds(5), path.Field("drain_timeout")),
            DelayedCloseTimeout = Durations.ToTimeSpan(manager.DelayedCloseTimeout, TimeSpan.FromSeconds(1), path.Field("delayed_close_timeout")),
            MaxRequestHeadersKb = (int)kb,
            MaxHeadersCount = (int)count,
            GenerateRequestId = manager.GenerateRequestId ?? false,
            PreserveExternalRequestId = manager.PreserveExternalRequestId,
            AlwaysSetRequestIdInResponse = manager.AlwaysSetRequestIdInResponse,
            UseRemoteAddress = manager.UseRemoteAddress ?? false,
            SkipXffAppend = manager.SkipXffAppend,
            XffTrustedHops = (int)manager.XffNumTrustedHops,
            InternalRanges = manager.InternalAddressConfig?.CidrRanges.Map(path.Field("internal_address_config").Field("cidr_ranges"), Addresses.ToCidr) ?? [],
            Via = HeaderValue(manager.Via, path.Field("via")),
            HostPortStripping = PortStripping(manager, path),
            StripTrailingHostDot = manager.StripTrailingHostDot,
            ServerHeaderAction = ServerHeader(manager, path.Field("server_header_transformation")),
            ServerName = manager.ServerName.Length == 0 ? DefaultServerName : HeaderValue(manager.ServerName, path.Field("server_name")),
            UnderscoresAction = Underscores(common, commonPath.Field("headers_with_underscores_action")),
            NormalizePath = manager.NormalizePath ?? false,
            MergeSlashes = manager.MergeSlashes,
            EscapedSlashesAction = EscapedSlashes(manager.PathWithEscapedSlashesAction, path.Field("path_with_escaped_slashes_action")),
        };
    }

    private static RdsConfig? RouteSource(HttpConnectionManager manager, ConfigPath path)
    {
        switch (manager.RouteSpecifierCase)
        {
            case HttpConnectionManager.RouteSpecifierOneofCase.RouteConfig:
                return null;
            case HttpConnectionManager.RouteSpecifierOneofCase.Rds:
                path = path.Field("rds");
                return new RdsConfig(
                    TypedConfig.Required(manager.Rds.RouteConfigName, path.Field("route_config_name")),
                    ConfigSources.Required(manager.Rds.ConfigSource, path.Field("config_source")));
            default:
                throw path.Error("needs route_config, or rds {route_config_name, config_source}");
        }
    }

    private static EscapedSlashesAction EscapedSlashes(PathAction action, ConfigPath path) => action switch
    {
        PathAction.ImplementationSpecificDefault or PathAction.KeepUnchanged => EscapedSlashesAction.KeepUnchanged,
        PathAction.RejectRequest => EscapedSlashesAction.RejectRequest,
        PathAction.UnescapeAndRedirect => EscapedSlashesAction.UnescapeAndRedirect,
        PathAction.UnescapeAndForward => EscapedSlashesAction.UnescapeAndForward,
        _ => throw path.Error($"value {(int)action} is not known"),
    };

    private static UnderscoresAction Underscores(HttpProtocolOptions? options, ConfigPath path) => options?.HeadersWithUnderscoresAction switch
    {
        null or Underscored.Allow => UnderscoresAction.Allow,
        Underscored.RejectRequest => UnderscoresAction.RejectRequest,
        Underscored.DropHeader => UnderscoresAction.DropHeader,
        var other => throw path.Error($"value {(int)other} is not known"),
    };

    private static HostPortStripping PortStripping(HttpConnectionManager manager, ConfigPath path) => (manager.StripMatchingHostPort, manager.StripAnyHostPort) switch
    {
        (true, true) => throw path.Field("strip_any_host_port").Error("strip_matching_host_port is set too; keep one"),
        (true, false) => HostPortStripping.Matching,
        (false, true) => HostPortStripping.Any,
        _ => HostPortStripping.None,
    };

    // A name without a word on what to do with it asks for Envoy's default; silence asks for nothing.
    private static ServerHeaderAction ServerHeader(HttpConnectionManager manager, ConfigPath path) => manager.ServerHeaderTransformation switch
    {
        _ when !manager.HasServerHeaderTransformation => manager.ServerName.Length > 0 ? ServerHeaderAction.Overwrite : ServerHeaderAction.PassThrough,
        HttpConnectionManager.Types.ServerHeaderTransformation.Overwrite => ServerHeaderAction.Overwrite,
        HttpConnectionManager.Types.ServerHeaderTransformation.AppendIfAbsent => ServerHeaderAction.AppendIfAbsent,
        HttpConnectionManager.Types.ServerHeaderTransformation.PassThrough => ServerHeaderAction.PassThrough,
        var other => throw path.Error($"value {(int)other} is not known"),
    };

    private static string HeaderValue(string value, ConfigPath path) =>
        value.AsSpan().ContainsAnyExceptInRange(' ', '~') || value.Trim().Length != value.Length
            ? throw path.Error($"{Printable.Quote(value)} is no header value: printable ASCII, no white space around it")
            : value;

    private static CodecType Codec(HttpConnectionManager.Types.CodecType type, ConfigPath path) => type switch
    {
        HttpConnectionManager.Types.CodecType.Auto => CodecType.Auto,
        HttpConnectionManager.Types.CodecType.Http1 => CodecType.Http1,
        HttpConnectionManager.Types.CodecType.Http2 => CodecType.Http2,
        _ => throw path.Error($"{type} is not built in; use AUTO, HTTP1 or HTTP2"),
    };

    private static EquatableList<HttpFilterConfig> Filters(RepeatedField<HttpFilter> filters, ConfigPath path)
    {
        var result = filters.Map(path, Filter);
        var policies = 0;
        for (var i = 0; i < result.Count; i++)
        {
            if (result[i] is RouterConfig && i < result.Count - 1)
            {
                throw path.Item(i).Error("the router is terminal and must be the last HTTP filter");
            }
            if (result[i] is L7PolicyConfig && ++policies > 1)
            {
                throw path.Item(i).Error("a second cilium.l7policy; keep one");
            }
        }
        return result.Count > 0 && result[^1] is RouterConfig
            ? result
            : throw path.Error("the last HTTP filter must be envoy.filters.http.router");
    }

    private static HttpFilterConfig Filter(HttpFilter filter, ConfigPath path)
    {
        TypedConfig.Required(filter.Name, path.Field("name"));
        path = path.Field("typed_config");
        switch (TypedConfig.Unpack(filter.TypedConfig, path))
        {
            case L7Policy policy:
                return new L7PolicyConfig(policy.AccessLogPath, policy.Denied403Body);
            case Router router:
                return router.HasSuppressEnvoyHeaders && !router.SuppressEnvoyHeaders
                    ? throw path.Field("suppress_envoy_headers").Error("x-envoy-* headers are never added; write true or remove it")
                    : new RouterConfig();
            case var other:
                throw TypedConfig.Misplaced(other, "an HTTP filter", path);
        }
    }
}
