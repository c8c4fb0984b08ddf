using System;
using System.Collections.Generic;
using System.Globalization;
using System.Runtime.CompilerServices;
using Cilium;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Postern.Agent.Compile;
using Postern.Xds.Discovery;

namespace Postern.Agent.Envoy;

/// <summary>All that is served to the proxy, by type and name. Always has all types, so that an empty one is answered too.</summary>
public sealed class AgentResources
{
    // A message that the compiler kept is not serialised again. Weak: goes with the message.
    private static readonly ConditionalWeakTable<IMessage, Any> Packed = [];

    private readonly Dictionary<ResourceType, IReadOnlyDictionary<string, Any>> sets = [];
    private readonly Action<string> warn;

    private AgentResources(Action<string> warn)
    {
        this.warn = warn;
        foreach (var type in ResourceType.All)
        {
            sets.Add(type, new Dictionary<string, Any>(StringComparer.Ordinal));
        }
    }

    /// <summary>Gathers them.</summary>
    /// <param name="node">Compiled; its messages must not change any more.</param>
    /// <param name="listeners">The agent's own, from <see cref="AgentListeners"/>.</param>
    /// <param name="portOf">Port for the listener of a CiliumEnvoyConfig that has no address, by its qualified name.</param>
    /// <param name="options">Addresses of such listeners.</param>
    /// <param name="warn">Gets a line for each resource that is left out.</param>
    public static IReadOnlyDictionary<ResourceType, IReadOnlyDictionary<string, Any>> From(
        CompiledNode node,
        IEnumerable<Listener> listeners,
        Func<string, ushort> portOf,
        AgentListenerOptions options,
        Action<string>? warn = null)
    {
        var result = new AgentResources(warn ?? (static _ => { }));
        foreach (var endpoint in node.Endpoints)
        {
            result.Add(ResourceType.NetworkPolicy, endpoint.Id.ToString(CultureInfo.InvariantCulture), Pack(endpoint.Policy));
        }
        foreach (var hosts in node.Hosts)
        {
            result.Add(ResourceType.NetworkPolicyHosts, hosts.Policy.ToString(CultureInfo.InvariantCulture), Pack(hosts));
        }
        foreach (var secret in node.Secrets)
        {
            result.Add(ResourceType.Secret, secret.Unpack<Secret>().Name, secret);
        }
        foreach (var assignment in node.ServiceEndpoints)
        {
            result.Add(ResourceType.Endpoint, assignment.ClusterName, Pack(assignment));
        }
        foreach (var listener in listeners)
        {
            result.Add(ResourceType.Listener, listener.Name, Any.Pack(listener));
        }
        foreach (var config in node.EnvoyConfigs)
        {
            result.Add(config, portOf, options);
        }
        return result.sets;
    }

    private static Any Pack(IMessage message) => Packed.GetValue(message, static message => Any.Pack(message));

    private void Add(CompiledEnvoyConfig config, Func<string, ushort> portOf, AgentListenerOptions options)
    {
        foreach (var secret in config.Secrets)
        {
            Add(ResourceType.Secret, secret.Unpack<Secret>().Name, secret);
        }
        foreach (var assignment in config.Endpoints)
        {
            Add(ResourceType.Endpoint, assignment.Unpack<ClusterLoadAssignment>().ClusterName, assignment);
        }
        foreach (var cluster in config.Clusters)
        {
            Add(ResourceType.Cluster, cluster.Unpack<Cluster>().Name, cluster);
        }
        foreach (var route in config.Routes)
        {
            Add(ResourceType.Route, route.Unpack<RouteConfiguration>().Name, route);
        }
        foreach (var packed in config.Listeners)
        {
            var listener = packed.Unpack<Listener>();
            Add(ResourceType.Listener, listener.Name, Completed(listener, portOf, options));
        }
    }

    private void Add(ResourceType type, string name, Any resource)
    {
        var set = (Dictionary<string, Any>)sets[type];
        if (!set.TryAdd(name, resource) && !set[name].Equals(resource))
        {
            warn($"{type}: two different resources are named \"{name}\"; the first stays, rename one");
        }
    }

    private static Any Completed(Listener listener, Func<string, ushort> portOf, AgentListenerOptions options)
    {
        ushort? port = listener.Address is null ? portOf(listener.Name) : null;
        if (port is not null)
        {
            AgentListeners.Bind(listener, port.Value, options);
        }
        foreach (var filter in listener.ListenerFilters)
        {
            if (filter.TypedConfig is { } config && config.TryUnpack<BpfMetadata>(out var metadata))
            {
                metadata.ProxyId = metadata.ProxyId == 0 ? port ?? 0u : metadata.ProxyId;
                // As the agent's own listeners: a proxy has one source of policies.
                metadata.CiliumConfigSource ??= options.PolicySource ?? AgentSources.Grpc();
                filter.TypedConfig = Any.Pack(metadata);
            }
        }
        return Any.Pack(listener);
    }
}
