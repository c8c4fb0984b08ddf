using System;
using System.Collections.Generic;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Admin.Dump;

/// <summary>Sorts what a target knows into the messages of Envoy's <c>/config_dump</c>, one reading of it.</summary>
internal sealed class ConfigDump(IAdminTarget target)
{
    private const string Admin = "envoy.admin.v3.";

    private readonly IReadOnlyList<ResourceStatus> resources = target.Resources;
    private readonly ResourceDump dump = new(target.Subscriptions);

    /// <summary>All messages, in Envoy's order.</summary>
    /// <param name="withEndpoints"><c>include_eds</c>.</param>
    public IReadOnlyList<DumpSection> Sections(bool withEndpoints)
    {
        var sections = new List<DumpSection>
        {
            new(Admin + "BootstrapConfigDump", "", [new DumpList("bootstrap", "envoy.config.bootstrap.v3.Bootstrap", [BootstrapDump.Of(target)])]),
            new(Admin + "ClustersConfigDump", VersionOf(ResourceType.Cluster),
            [
                new("static_clusters", Admin + "ClustersConfigDump.StaticCluster", StaticClusters()),
                new("dynamic_active_clusters", Admin + "ClustersConfigDump.DynamicCluster", Flat(ResourceType.Cluster, "cluster", static r => r.State == ResourceState.Active)),
                new("dynamic_warming_clusters", Admin + "ClustersConfigDump.DynamicCluster", Flat(ResourceType.Cluster, "cluster", static r => r.State != ResourceState.Active)),
            ]),
        };
        if (withEndpoints)
        {
            sections.Add(new(Admin + "EndpointsConfigDump", "",
            [
                new("static_endpoint_configs", Admin + "EndpointsConfigDump.StaticEndpointConfig", StaticEndpoints()),
                new("dynamic_endpoint_configs", Admin + "EndpointsConfigDump.DynamicEndpointConfig", Flat(ResourceType.Endpoint, "endpoint_config", static _ => true)),
            ]));
        }
        sections.Add(new(Admin + "ListenersConfigDump", VersionOf(ResourceType.Listener),
        [
            new("static_listeners", Admin + "ListenersConfigDump.StaticListener", StaticListeners()),
            new("dynamic_listeners", Admin + "ListenersConfigDump.DynamicListener", Listeners()),
        ]));
        sections.Add(new(Admin + "RoutesConfigDump", "",
        [
            new("dynamic_route_configs", Admin + "RoutesConfigDump.DynamicRouteConfig", Flat(ResourceType.Route, "route_config", static _ => true)),
        ]));
        sections.Add(new(Admin + "SecretsConfigDump", "",
        [
            new("static_secrets", Admin + "SecretsConfigDump.StaticSecret", StaticSecrets()),
            new("dynamic_active_secrets", Admin + "SecretsConfigDump.DynamicSecret", Secrets(static r => r.State == ResourceState.Active)),
            new("dynamic_warming_secrets", Admin + "SecretsConfigDump.DynamicSecret", Secrets(static r => r.State != ResourceState.Active)),
        ]));
        sections.Add(new("cilium.NetworkPoliciesConfigDump", "", [new("networkpolicies", "cilium.NetworkPolicy", Policies())]));
        return sections;
    }

    private string VersionOf(ResourceType type)
    {
        foreach (var subscription in target.Subscriptions)
        {
            if (subscription.Type == type && subscription.Names.Count == 0)
            {
                return subscription.Version;
            }
        }
        return "";
    }

    private IEnumerable<ResourceStatus> Of(ResourceType type, Predicate<ResourceStatus> which)
    {
        foreach (var resource in resources)
        {
            if (resource.Type == type && which(resource))
            {
                yield return resource;
            }
        }
    }

    private IEnumerable<DumpItem> Flat(ResourceType type, string field, Predicate<ResourceStatus> which)
    {
        foreach (var resource in Of(type, which))
        {
            yield return new DumpItem([resource.Name], json => dump.WriteFlat(json, resource, field));
        }
    }

    private IEnumerable<DumpItem> Listeners()
    {
        foreach (var resource in Of(ResourceType.Listener, static _ => true))
        {
            yield return new DumpItem([resource.Name], json => dump.WriteByState(json, resource, "listener"));
        }
    }

    private IEnumerable<DumpItem> Secrets(Predicate<ResourceStatus> which)
    {
        foreach (var resource in Of(ResourceType.Secret, which))
        {
            yield return new DumpItem([resource.Name], json =>
            {
                json.WriteString("name", resource.Name);
                dump.WriteFlat(json, resource, "secret");
            });
        }
    }

    // Policies in force only, and bare: the section says what is enforced, /xds says the rest.
    private IEnumerable<DumpItem> Policies()
    {
        foreach (var resource in Of(ResourceType.NetworkPolicy, static r => r.State == ResourceState.Active))
        {
            if (resource.Source is { } source && MessageJson.TryUnpack(source) is Cilium.NetworkPolicy policy)
            {
                yield return new DumpItem(policy.EndpointIps, json => MessageJson.WriteFields(json, policy));
            }
        }
    }

    private IEnumerable<DumpItem> StaticListeners()
    {
        foreach (var listener in target.Bootstrap.StaticListeners)
        {
            yield return new DumpItem([listener.Name], json => BootstrapDump.WriteListener(json, listener, target.Started));
        }
    }

    private IEnumerable<DumpItem> StaticClusters()
    {
        foreach (var cluster in target.Bootstrap.StaticClusters)
        {
            yield return new DumpItem([cluster.Name], json => BootstrapDump.WriteCluster(json, cluster, target.Started));
        }
    }

    private IEnumerable<DumpItem> StaticEndpoints()
    {
        foreach (var cluster in target.Clusters)
        {
            if (!cluster.FromDiscovery && cluster.Endpoints.Count > 0)
            {
                yield return new DumpItem([cluster.Config.Name], json => BootstrapDump.WriteEndpoints(json, cluster));
            }
        }
    }

    private IEnumerable<DumpItem> StaticSecrets()
    {
        foreach (var secret in target.Bootstrap.StaticSecrets)
        {
            yield return new DumpItem([secret.Name], json =>
            {
                json.WriteString("name", secret.Name);
                json.WriteTime("last_updated", target.Started);
                json.WritePropertyName("secret");
                SecretDump.WriteMasked(json, secret.Name);
            });
        }
    }
}
