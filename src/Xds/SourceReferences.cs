using System.Collections.Generic;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds;

/// <summary>
/// The sources that a listener or a cluster takes more resources from, and whether the bootstrap provides for them: a control plane is reached
/// through a static cluster, never through one that would have to be discovered first.
/// </summary>
public static class SourceReferences
{
    /// <summary>Checks the sources of a listener: policy, and the route tables of its chains.</summary>
    /// <returns>Null when all is well, else the path below the listener and the reason.</returns>
    public static (string Path, string Reason)? FindProblem(ListenerConfig listener, BootstrapConfig bootstrap) =>
        First(Of(listener, ConfigPath.Empty), bootstrap) is { } problem ? (problem.Path, problem.Reason) : UnknownSecret(listener, bootstrap);

    /// <summary>Checks the source of an EDS cluster.</summary>
    /// <returns>Null when all is well, else the path below the cluster and the reason.</returns>
    public static (string Path, string Reason)? FindProblem(ClusterConfig cluster, BootstrapConfig bootstrap) =>
        First(Of(cluster, ConfigPath.Empty), bootstrap) is { } problem ? (problem.Path, problem.Reason) : UnknownSecret(cluster.Tls?.Common, "", bootstrap);

    private static (string Path, string Reason)? UnknownSecret(ListenerConfig listener, BootstrapConfig bootstrap)
    {
        for (var i = 0; i <= listener.FilterChains.Count; i++)
        {
            var (chain, at) = i < listener.FilterChains.Count ? (listener.FilterChains[i], $"filter_chains[{i}].") : (listener.DefaultFilterChain, "default_filter_chain.");
            if (UnknownSecret(chain?.Tls?.Common, at, bootstrap) is { } problem)
            {
                return problem;
            }
        }
        return null;
    }

    // A secret without a source can only be one of the bootstrap: nobody will bring it.
    private static (string Path, string Reason)? UnknownSecret(CommonTlsConfig? tls, string at, BootstrapConfig bootstrap)
    {
        var path = at + "transport_socket.typed_config.common_tls_context.";
        foreach (var reference in tls?.CertificateSecrets ?? [])
        {
            if (IsUnknown(reference, bootstrap))
            {
                return (path + "tls_certificate_sds_secret_configs", Explain(reference));
            }
        }
        return tls?.ValidationSecret is { } validation && IsUnknown(validation, bootstrap)
            ? (path + "validation_context_sds_secret_config", Explain(validation))
            : null;

        static string Explain(SecretReferenceConfig reference) =>
            $"names the secret {Printable.Quote(reference.Name)} without sds_config, and static_resources.secrets has none of that name; add it there, or write sds_config";
    }

    private static bool IsUnknown(SecretReferenceConfig reference, BootstrapConfig bootstrap)
    {
        foreach (var secret in bootstrap.StaticSecrets)
        {
            if (secret.Name == reference.Name)
            {
                return false;
            }
        }
        return reference.Source is null;
    }

    /// <summary>Checks everything that the bootstrap itself names.</summary>
    internal static void Check(BootstrapConfig bootstrap)
    {
        if (First(Of(bootstrap), bootstrap) is { } problem)
        {
            throw problem;
        }
    }

    private static XdsConfigException? First(IEnumerable<(ConfigSourceConfig Source, ConfigPath Path)> sources, BootstrapConfig bootstrap)
    {
        foreach (var (source, path) in sources)
        {
            if (Find(source, bootstrap, path) is { } problem)
            {
                return problem;
            }
        }
        return null;
    }

    private static XdsConfigException? Find(ConfigSourceConfig source, BootstrapConfig bootstrap, ConfigPath path)
    {
        if (source is AdsSourceConfig && bootstrap.AdsSource is null)
        {
            return path.Error("is ads, but the bootstrap has no dynamic_resources.ads_config; add it");
        }
        if (source is not GrpcSourceConfig grpc)
        {
            return null;
        }
        if (bootstrap.Node.Id.Length == 0)
        {
            return path.Error("is a control plane over gRPC, which has to know who asks; write node.id in the bootstrap");
        }
        ClusterConfig? cluster = null;
        foreach (var known in bootstrap.StaticClusters)
        {
            cluster = known.Name == grpc.Cluster ? known : cluster;
        }
        return cluster switch
        {
            null => path.Error($"names the cluster {Printable.Quote(grpc.Cluster)}, which is not among static_resources.clusters; add it there"),
            { Type: not ClusterType.Static } => path.Error($"names the cluster {Printable.Quote(grpc.Cluster)}, which is not STATIC; write type: STATIC with its endpoints"),
            { Tls.Common: { CertificateSecrets.Count: > 0 } or { ValidationSecret: not null } } => path.Error(
                $"names the cluster {Printable.Quote(grpc.Cluster)}, whose TLS names secrets, for which the way to a control plane does not wait; write tls_certificates and validation_context into it"),
            _ => null, // a STATIC cluster has an endpoint
        };
    }

    private static IEnumerable<(ConfigSourceConfig Source, ConfigPath Path)> Of(BootstrapConfig bootstrap)
    {
        var dynamics = ConfigPath.Empty.Field("dynamic_resources");
        if (bootstrap.AdsSource is { } ads)
        {
            yield return (ads, dynamics.Field("ads_config"));
        }
        if (bootstrap.CdsSource is { } cds)
        {
            yield return (cds, dynamics.Field("cds_config"));
        }
        if (bootstrap.LdsSource is { } lds)
        {
            yield return (lds, dynamics.Field("lds_config"));
        }
        var statics = ConfigPath.Empty.Field("static_resources");
        for (var i = 0; i < bootstrap.StaticClusters.Count; i++)
        {
            foreach (var source in Of(bootstrap.StaticClusters[i], statics.Field("clusters").Item(i)))
            {
                yield return source;
            }
        }
        for (var i = 0; i < bootstrap.StaticListeners.Count; i++)
        {
            foreach (var source in Of(bootstrap.StaticListeners[i], statics.Field("listeners").Item(i)))
            {
                yield return source;
            }
        }
    }

    private static IEnumerable<(ConfigSourceConfig Source, ConfigPath Path)> Of(ClusterConfig cluster, ConfigPath path)
    {
        if (cluster.Eds is { } eds)
        {
            yield return (eds.Source, path.Field("eds_cluster_config").Field("eds_config"));
        }
        foreach (var source in Of(cluster.Tls?.Common, path))
        {
            yield return source;
        }
    }

    private static IEnumerable<(ConfigSourceConfig Source, ConfigPath Path)> Of(CommonTlsConfig? tls, ConfigPath path)
    {
        path = path.Field("transport_socket").Field("typed_config").Field("common_tls_context");
        for (var i = 0; i < tls?.CertificateSecrets.Count; i++)
        {
            if (tls.CertificateSecrets[i].Source is { } source)
            {
                yield return (source, path.Field("tls_certificate_sds_secret_configs").Item(i).Field("sds_config"));
            }
        }
        if (tls?.ValidationSecret?.Source is { } validation)
        {
            yield return (validation, path.Field("validation_context_sds_secret_config").Field("sds_config"));
        }
    }

    private static IEnumerable<(ConfigSourceConfig Source, ConfigPath Path)> Of(ListenerConfig listener, ConfigPath path)
    {
        for (var i = 0; i < listener.ListenerFilters.Count; i++)
        {
            if (listener.ListenerFilters[i] is BpfMetadataConfig metadata)
            {
                yield return (metadata.PolicySource, path.Field("listener_filters").Item(i).Field("typed_config").Field("cilium_config_source"));
            }
        }
        for (var i = 0; i <= listener.FilterChains.Count; i++)
        {
            var (chain, at) = i < listener.FilterChains.Count
                ? (listener.FilterChains[i], path.Field("filter_chains").Item(i))
                : (listener.DefaultFilterChain, path.Field("default_filter_chain"));
            foreach (var source in Of(chain?.Tls?.Common, at))
            {
                yield return source;
            }
            if (chain?.Filters[^1] is HttpConnectionManagerConfig { Rds: { } rds })
            {
                yield return (rds.Source, at.Field("filters").Item(chain.Filters.Count - 1).Field("typed_config").Field("rds").Field("config_source"));
            }
        }
    }
}
