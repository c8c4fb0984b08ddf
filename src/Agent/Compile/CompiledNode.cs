using System.Collections.Generic;
using System.Net;
using Cilium;
using Envoy.Config.Endpoint.V3;
using Google.Protobuf.WellKnownTypes;
using Postern.Policy;

namespace Postern.Agent.Compile;

/// <summary>All that the agent's folder means, ready to be served, steered and shown. Immutable.</summary>
public sealed record CompiledNode
{
    /// <summary>Nothing.</summary>
    public static readonly CompiledNode Empty = new();

    /// <summary>By id.</summary>
    public IReadOnlyList<CompiledEndpoint> Endpoints { get; init; } = [];

    /// <summary>Endpoints that no policy can be made for: all their TCP traffic is dropped.</summary>
    public IReadOnlyList<BlockedEndpoint> Blocked { get; init; } = [];

    /// <summary>Every identity that is in use, with labels.</summary>
    public IReadOnlyList<CompiledIdentity> Identities { get; init; } = [];

    /// <summary>Address → identity, as served by NPHDS; by identity.</summary>
    public IReadOnlyList<NetworkPolicyHosts> Hosts { get; init; } = [];

    /// <summary>EDS: <c>ns/name:port</c> and so on, from services.</summary>
    public IReadOnlyList<ClusterLoadAssignment> ServiceEndpoints { get; init; } = [];

    /// <summary>CiliumEnvoyConfig resources, names qualified.</summary>
    public IReadOnlyList<CompiledEnvoyConfig> EnvoyConfigs { get; init; } = [];

    /// <summary>SDS resources: <c>envoy.extensions.transport_sockets.tls.v3.Secret</c> in Any.</summary>
    public IReadOnlyList<Any> Secrets { get; init; } = [];

    /// <summary>What people should know: rules that are kept but not enforced yet, selectors without an identity, UDP ports, …</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>An endpoint that is cut off, because to let it be would be to let it go unpoliced.</summary>
/// <param name="Name">Namespace/name.</param>
/// <param name="Addresses">v4 then v6.</param>
public sealed record BlockedEndpoint(string Name, IReadOnlyList<IPAddress> Addresses);

/// <summary>TCP traffic of one endpoint to hand to a listener.</summary>
/// <param name="Direction">Ingress: to the endpoint. Egress: from it.</param>
/// <param name="Port">First destination port; 1 with <paramref name="EndPort"/> 65535 is all of them.</param>
/// <param name="EndPort">Last, inclusive.</param>
/// <param name="Kind">What must look into it.</param>
/// <param name="Listener">A CiliumEnvoyConfig listener's qualified name, or null for the agent's own of that kind.</param>
/// <param name="Remote">Only to (egress) or from (ingress) this address; null is any.</param>
public sealed record Redirect(TrafficDirection Direction, ushort Port, ushort EndPort, RedirectKind Kind, string? Listener = null, IPAddress? Remote = null);

/// <summary>Kinds of the agent's listeners.</summary>
public enum RedirectKind
{
    /// <summary>Judged by connection and SNI.</summary>
    Tcp,

    /// <summary>Judged request by request. TLS passes through, where policy allows that without a look inside.</summary>
    Http,

    /// <summary>Judged request by request, inside TLS too: some rule of these ports has it terminated.</summary>
    Https,
}

/// <summary>An identity in use.</summary>
/// <param name="Id">Number; reserved ones as Cilium's.</param>
/// <param name="Labels"><c>source:key=value</c>, sorted.</param>
public sealed record CompiledIdentity(uint Id, IReadOnlyList<string> Labels);

/// <summary>Resources of one CiliumEnvoyConfig.</summary>
/// <param name="Name"><c>namespace/name</c>, or <c>/name</c> for a clusterwide one.</param>
/// <param name="Listeners">In Any; a listener without an address has none: the agent allocates a port.</param>
/// <param name="Clusters">In Any.</param>
/// <param name="Routes">In Any.</param>
/// <param name="Endpoints">In Any.</param>
/// <param name="Secrets">In Any.</param>
public sealed record CompiledEnvoyConfig(
    string Name,
    IReadOnlyList<Any> Listeners,
    IReadOnlyList<Any> Clusters,
    IReadOnlyList<Any> Routes,
    IReadOnlyList<Any> Endpoints,
    IReadOnlyList<Any> Secrets);
