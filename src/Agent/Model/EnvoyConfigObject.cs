using System.Collections.Generic;
using Google.Protobuf.WellKnownTypes;

namespace Postern.Agent.Model;

/// <summary>A CiliumEnvoyConfig or CiliumClusterwideEnvoyConfig; names in its resources are still the author's.</summary>
public sealed record EnvoyConfigObject(ObjectKey Key, ObjectSource Source) : NodeObject(Key, Source)
{
    /// <summary>services: traffic to them goes to a listener.</summary>
    public required IReadOnlyList<ServiceReference> Services { get; init; }

    /// <summary>backendServices: only their endpoints are served.</summary>
    public required IReadOnlyList<ServiceReference> BackendServices { get; init; }

    /// <summary>Listener, RouteConfiguration, Cluster, ClusterLoadAssignment, Secret.</summary>
    public required IReadOnlyList<Any> Resources { get; init; }

    /// <summary><c>cec.cilium.io/inject-cilium-filters</c>; not said: whether there are services.</summary>
    public required FilterInjection Injection { get; init; }

    /// <summary><c>cec.cilium.io/use-original-source-address</c>; not said: true.</summary>
    public required bool UseOriginalSourceAddress { get; init; }

    /// <summary><c>cec.cilium.io/is-l7lb</c>; not said: whether there are services.</summary>
    public required bool IsL7Lb { get; init; }

    /// <summary>What is read but not honoured.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }
}

/// <summary>A Service that a CiliumEnvoyConfig names.</summary>
/// <param name="Namespace">Of the service.</param>
/// <param name="Name">Of the service.</param>
/// <param name="Ports">Names or numbers; empty is all.</param>
/// <param name="Listener">Where its traffic goes; empty is the first.</param>
public sealed record ServiceReference(string Namespace, string Name, IReadOnlyList<string> Ports, string Listener);

/// <summary>Whether Cilium's filters are put into listeners that have an address of their own.</summary>
public enum FilterInjection
{
    /// <summary>No.</summary>
    Off,

    /// <summary>Yes.</summary>
    On,
}
