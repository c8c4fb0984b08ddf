using System;
using System.Collections.Generic;
using Envoy.Config.Core.V3;
using Postern.Xds.Config;
using Postern.Xds.Text;
using ApiType = Envoy.Config.Core.V3.ApiConfigSource.Types.ApiType;

namespace Postern.Xds.Resources;

/// <summary><c>envoy.config.core.v3.ApiConfigSource</c>, the gRPC forms.</summary>
internal static class GrpcSources
{
    /// <summary>Cluster of the control plane where <c>cilium_config_source</c> is left out, as in Cilium's proxy.</summary>
    public const string CiliumCluster = "xds-grpc-cilium";

    private const uint MaxMessageLength = 1 << 30;
    private static readonly TimeSpan CiliumFetchTimeout = TimeSpan.FromMilliseconds(50);

    /// <summary>What <c>cilium_config_source</c> is when it is left out.</summary>
    public static GrpcSourceConfig Cilium { get; } = new(CiliumCluster, DiscoveryVariant.StateOfTheWorld, CiliumFetchTimeout);

    /// <summary>A source with a stream of its own for each subscription.</summary>
    public static GrpcSourceConfig ToConfig(ApiConfigSource source, TimeSpan? fetchTimeout, ConfigPath path) => Create(
        source,
        source.ApiType switch
        {
            ApiType.Grpc => DiscoveryVariant.StateOfTheWorld,
            ApiType.DeltaGrpc => DiscoveryVariant.Delta,
            ApiType.AggregatedGrpc or ApiType.AggregatedDeltaGrpc =>
                throw path.Field("api_type").Error("aggregated streams are configured in dynamic_resources.ads_config; write ads: {} here"),
            var other => throw NotBuiltIn(other, path),
        },
        fetchTimeout,
        path);

    /// <summary>The aggregated stream, <c>dynamic_resources.ads_config</c>.</summary>
    public static GrpcSourceConfig ToAggregated(ApiConfigSource source, ConfigPath path) => Create(
        source,
        source.ApiType switch
        {
            ApiType.Grpc or ApiType.AggregatedGrpc => DiscoveryVariant.StateOfTheWorld,
            ApiType.DeltaGrpc or ApiType.AggregatedDeltaGrpc => DiscoveryVariant.Delta,
            var other => throw NotBuiltIn(other, path),
        },
        null,
        path);

    private static GrpcSourceConfig Create(ApiConfigSource source, DiscoveryVariant variant, TimeSpan? fetchTimeout, ConfigPath path)
    {
        ConfigSources.CheckVersion(source.TransportApiVersion, path.Field("transport_api_version"));
        path = path.Field("grpc_services");
        if (source.GrpcServices.Count != 1)
        {
            throw path.Error(source.GrpcServices.Count == 0
                ? "is missing; write grpc_services: [{envoy_grpc: {cluster_name}}]"
                : "has more than one service, and falling back to a second one is not built in; keep one");
        }
        var service = source.GrpcServices[0];
        path = path.Item(0);
        var grpc = service.EnvoyGrpc ?? throw path.Error("needs envoy_grpc {cluster_name}");
        var grpcPath = path.Field("envoy_grpc");
        return new GrpcSourceConfig(TypedConfig.Required(grpc.ClusterName, grpcPath.Field("cluster_name")), variant, fetchTimeout)
        {
            NodeOnFirstMessageOnly = source.SetNodeOnFirstMessageOnly,
            Authority = Visible(grpc.Authority, grpcPath.Field("authority")),
            MaxReceiveMessageLength = grpc.MaxReceiveMessageLength switch
            {
                null => null,
                > 0 and <= MaxMessageLength and var length => (int)length,
                var length => throw grpcPath.Field("max_receive_message_length").Error($"{length} is not within 1 to {MaxMessageLength}"),
            },
            InitialMetadata = service.InitialMetadata.Map(path.Field("initial_metadata"), Metadata),
        };
    }

    private static KeyValuePair<string, string> Metadata(HeaderValue header, ConfigPath path)
    {
        var key = TypedConfig.Required(header.Key, path.Field("key")).ToLowerInvariant();
        foreach (var c in key)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
            {
                throw path.Field("key").Error($"{Printable.Quote(key)} is no name of gRPC metadata (letters, digits, - _ .)");
            }
        }
        return key.EndsWith("-bin", StringComparison.Ordinal) || key.StartsWith("grpc-", StringComparison.Ordinal)
            ? throw path.Field("key").Error($"{Printable.Quote(key)} is binary or reserved by gRPC")
            : new KeyValuePair<string, string>(key, Visible(header.Value, path.Field("value")));
    }

    private static string Visible(string text, ConfigPath path) =>
        text.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0 ? text : throw path.Error("holds characters other than visible ASCII");

    private static XdsConfigException NotBuiltIn(ApiType type, ConfigPath path) => path.Field("api_type").Error(
        type == ApiType.Rest ? "REST sources are not built in; use GRPC or DELTA_GRPC" : $"value {(int)type} names no kind of source; use GRPC or DELTA_GRPC");
}
