using System;
using System.Collections.Generic;

namespace Postern.Xds.Discovery;

/// <summary>A kind of xDS resource: its type URL and the services that stream it.</summary>
/// <param name="ShortName">As people say it: LDS, CDS, …</param>
/// <param name="TypeUrl">With the <c>type.googleapis.com/</c> prefix.</param>
/// <param name="Service">Full name of the service with one stream per type.</param>
/// <param name="StreamMethod">Its SotW method.</param>
/// <param name="DeltaMethod">Its Delta method.</param>
/// <param name="IsFullSet">
/// Whether a SotW response is the whole set: what is absent is removed (LDS, CDS, and Cilium's NPDS and NPHDS). Of other types an absent
/// resource says nothing.
/// </param>
public sealed record ResourceType(string ShortName, string TypeUrl, string Service, string StreamMethod, string DeltaMethod, bool IsFullSet)
{
    /// <summary>
    /// Whether the first accepted update of a new Delta stream is the whole set too. Cilium's types; of the others the client says what it holds
    /// and the server sends the difference.
    /// </summary>
    public bool ReplacesOnNewStream { get; init; }

    private const string Prefix = "type.googleapis.com/";

    /// <summary>Listeners.</summary>
    public static readonly ResourceType Listener = new("LDS", Prefix + "envoy.config.listener.v3.Listener", "envoy.service.listener.v3.ListenerDiscoveryService", "StreamListeners", "DeltaListeners", true);

    /// <summary>Clusters.</summary>
    public static readonly ResourceType Cluster = new("CDS", Prefix + "envoy.config.cluster.v3.Cluster", "envoy.service.cluster.v3.ClusterDiscoveryService", "StreamClusters", "DeltaClusters", true);

    /// <summary>Route tables.</summary>
    public static readonly ResourceType Route = new("RDS", Prefix + "envoy.config.route.v3.RouteConfiguration", "envoy.service.route.v3.RouteDiscoveryService", "StreamRoutes", "DeltaRoutes", false);

    /// <summary>Endpoints of clusters.</summary>
    public static readonly ResourceType Endpoint = new("EDS", Prefix + "envoy.config.endpoint.v3.ClusterLoadAssignment", "envoy.service.endpoint.v3.EndpointDiscoveryService", "StreamEndpoints", "DeltaEndpoints", false);

    /// <summary>Secrets.</summary>
    public static readonly ResourceType Secret = new("SDS", Prefix + "envoy.extensions.transport_sockets.tls.v3.Secret", "envoy.service.secret.v3.SecretDiscoveryService", "StreamSecrets", "DeltaSecrets", false);

    /// <summary>Cilium's policy of endpoints.</summary>
    public static readonly ResourceType NetworkPolicy = new("NPDS", Prefix + "cilium.NetworkPolicy", "cilium.NetworkPolicyDiscoveryService", "StreamNetworkPolicies", "DeltaNetworkPolicies", true) { ReplacesOnNewStream = true };

    /// <summary>Cilium's identities of addresses.</summary>
    public static readonly ResourceType NetworkPolicyHosts = new("NPHDS", Prefix + "cilium.NetworkPolicyHosts", "cilium.NetworkPolicyHostsDiscoveryService", "StreamNetworkPolicyHosts", "DeltaNetworkPolicyHosts", true) { ReplacesOnNewStream = true };

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<ResourceType> All = [Cluster, Endpoint, Listener, Route, Secret, NetworkPolicy, NetworkPolicyHosts];

    /// <summary>The aggregated service that carries any of them.</summary>
    public const string AggregatedService = "envoy.service.discovery.v3.AggregatedDiscoveryService";

    /// <summary>By type URL, or null.</summary>
    public static ResourceType? Find(string typeUrl)
    {
        foreach (var type in All)
        {
            if (string.Equals(type.TypeUrl, typeUrl, StringComparison.Ordinal))
            {
                return type;
            }
        }
        return null;
    }

    /// <inheritdoc/>
    public override string ToString() => ShortName;
}
