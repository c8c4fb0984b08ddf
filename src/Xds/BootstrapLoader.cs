using System;
using System.Collections.Generic;
using System.Net;
using Envoy.Config.Bootstrap.V3;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Resources;
using Postern.Xds.Text;

namespace Postern.Xds;

/// <summary>Reads an <c>envoy.config.bootstrap.v3.Bootstrap</c> in YAML or JSON. Either all of it is understood, or it is refused.</summary>
public static class BootstrapLoader
{
    /// <summary>Reads and validates a file.</summary>
    /// <exception cref="XdsConfigException">Cannot be read, or is wrong: the message names file, line, column, field and mend.</exception>
    public static BootstrapConfig LoadFile(string path, ConfigTextLimits? limits = null)
    {
        limits ??= ConfigTextLimits.Default;
        return Load(ConfigDocument.ReadBytes(path, limits), path, limits);
    }

    /// <summary>Reads and validates a text.</summary>
    /// <param name="bytes">UTF-8.</param>
    /// <param name="fileName">For errors; its suffix tells JSON from YAML.</param>
    /// <param name="limits">Null takes the defaults.</param>
    /// <exception cref="XdsConfigException">Is wrong.</exception>
    public static BootstrapConfig Load(ReadOnlySpan<byte> bytes, string fileName, ConfigTextLimits? limits = null) =>
        ConfigDocument.Parse(bytes, fileName, limits ?? ConfigTextLimits.Default).Read<Bootstrap, BootstrapConfig>(ToConfig);

    private static BootstrapConfig ToConfig(Bootstrap bootstrap)
    {
        var path = ConfigPath.Empty;
        var resources = path.Field("static_resources");
        var statics = bootstrap.StaticResources ?? new Bootstrap.Types.StaticResources();
        var listeners = statics.Listeners.Map(resources.Field("listeners"), Listeners.ToConfig);
        var clusters = statics.Clusters.Map(resources.Field("clusters"), Clusters.ToConfig);
        var secrets = statics.Secrets.Map(resources.Field("secrets"), Secrets.ToConfig);
        ListenerSetRules.Check(listeners, i => resources.Field("listeners").Item(i));
        ClusterSetRules.Check(clusters, i => resources.Field("clusters").Item(i));
        CheckNames(secrets, resources.Field("secrets"));
        var (maxConnections, overload) = ProcessLimits.Of(bootstrap, path);
        var dynamics = path.Field("dynamic_resources");
        var config = new BootstrapConfig
        {
            Node = bootstrap.Node ?? new Envoy.Config.Core.V3.Node(),
            StaticListeners = listeners,
            StaticClusters = clusters,
            StaticSecrets = secrets,
            LdsSource = Source(bootstrap.DynamicResources?.LdsConfig, dynamics.Field("lds_config")),
            CdsSource = Source(bootstrap.DynamicResources?.CdsConfig, dynamics.Field("cds_config")),
            AdsSource = bootstrap.DynamicResources?.AdsConfig is { } ads ? GrpcSources.ToAggregated(ads, dynamics.Field("ads_config")) : null,
            AdminAddress = AdminAddress(bootstrap.Admin, path.Field("admin")),
            MaxDownstreamConnections = maxConnections,
            Overload = overload,
        };
        CheckReferences(listeners, clusters, config.CdsSource is not null, resources.Field("listeners"));
        SourceReferences.Check(config);
        if (listeners.Count == 0 && config.LdsSource is null)
        {
            throw path.Error("has no listener; write static_resources.listeners or dynamic_resources.lds_config");
        }
        return config;
    }

    private static ConfigSourceConfig? Source(Envoy.Config.Core.V3.ConfigSource? source, ConfigPath path) =>
        source is null ? null : ConfigSources.ToConfig(source, path);

    private static EndPoint? AdminAddress(Admin? admin, ConfigPath path) =>
        admin?.Address is { } address ? Addresses.ToSocketOrPipe(address, path.Field("address")) : null;

    private static void CheckNames(EquatableList<SecretConfig> secrets, ConfigPath path)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < secrets.Count; i++)
        {
            if (!names.Add(secrets[i].Name))
            {
                throw path.Item(i).Field("name").Error($"a second secret named {Printable.Quote(secrets[i].Name)}");
            }
        }
    }

    // A cluster that is not static may come with CDS.
    private static void CheckReferences(EquatableList<ListenerConfig> listeners, EquatableList<ClusterConfig> clusters, bool hasCds, ConfigPath path)
    {
        var byName = new Dictionary<string, ClusterConfig>(StringComparer.Ordinal);
        foreach (var cluster in clusters)
        {
            byName.Add(cluster.Name, cluster);
        }
        for (var i = 0; i < listeners.Count; i++)
        {
            if (ClusterReferences.FindProblem(listeners[i], byName, hasCds, path.Item(i)) is { } problem)
            {
                throw problem;
            }
        }
    }
}
