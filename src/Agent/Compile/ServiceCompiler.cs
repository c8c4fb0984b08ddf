using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Postern.Agent.Model;

namespace Postern.Agent.Compile;

/// <summary>EDS: the endpoints behind the Services that CiliumEnvoyConfigs name. Names, addresses and ports only, as Cilium sends them.</summary>
internal static class ServiceCompiler
{
    /// <summary>By name.</summary>
    public static List<ClusterLoadAssignment> Compile(NodeModel model, List<string> warnings)
    {
        var services = model.Services.ToDictionary(one => one.Key.QualifiedName, StringComparer.Ordinal);
        var built = new SortedDictionary<string, ClusterLoadAssignment>(StringComparer.Ordinal);
        foreach (var config in model.EnvoyConfigs)
        {
            foreach (var reference in config.Services.Concat(config.BackendServices))
            {
                var name = $"{reference.Namespace}/{reference.Name}";
                if (!services.TryGetValue(name, out var service))
                {
                    warnings.Add($"{config.Key}: there is no Service {name}; it has no endpoints until there is");
                }
                foreach (var port in reference.Ports)
                {
                    var ports = service?.Ports.Where(one => one.Name == port || one.Port.ToString() == port).ToList() ?? [];
                    if (service is not null && ports.Count == 0)
                    {
                        warnings.Add($"{config.Key}: Service {name} has no port {port}");
                    }
                    Add($"{name}:{port}", service, ports);
                }
                if (reference.Ports.Count == 0)
                {
                    Add($"{name}:*", service, service?.Ports ?? []);
                    Add(name, service, service?.Ports ?? []);
                }
            }
        }
        return [.. built.Values];

        void Add(string name, ServiceObject? service, IReadOnlyList<ServicePort> ports)
        {
            if (!built.ContainsKey(name))
            {
                built.Add(name, Assignment(name, service is null ? [] : Backends(model, service), ports));
            }
        }
    }

    private static List<IPAddress> Backends(NodeModel model, ServiceObject service)
    {
        if (service.Selector.Count == 0)
        {
            return [];
        }
        return [.. model.Endpoints
            .Where(endpoint => endpoint.Key.Namespace == service.Key.Namespace
                && service.Selector.All(pair => endpoint.Labels.TryGetValue(pair.Key, out var value) && value == pair.Value))
            .SelectMany(endpoint => endpoint.Addresses)];
    }

    private static ClusterLoadAssignment Assignment(string name, List<IPAddress> addresses, IReadOnlyList<ServicePort> ports)
    {
        var assignment = new ClusterLoadAssignment { ClusterName = name };
        var targets = ports.Where(port => port.Protocol == "TCP").Select(port => port.TargetPort).Distinct().Order().ToList();
        var locality = new LocalityLbEndpoints();
        foreach (var address in addresses.OrderBy(address => Convert.ToHexString(address.GetAddressBytes()), StringComparer.Ordinal))
        {
            foreach (var port in targets)
            {
                var socket = new global::Envoy.Config.Core.V3.SocketAddress { Address = address.ToString(), PortValue = port };
                locality.LbEndpoints.Add(new LbEndpoint { Endpoint = new global::Envoy.Config.Endpoint.V3.Endpoint { Address = new Address { SocketAddress = socket } } });
            }
        }
        assignment.Endpoints.Add(locality);
        return assignment;
    }
}
