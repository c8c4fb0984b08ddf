namespace Postern.Agent.Model;

/// <summary>Cilium's entities.</summary>
public enum PeerEntity
{
    /// <summary>Everybody.</summary>
    All,

    /// <summary>What is neither an endpoint nor the host.</summary>
    World,

    /// <summary>The same, IPv4.</summary>
    WorldIpv4,

    /// <summary>The same, IPv6.</summary>
    WorldIpv6,

    /// <summary>This node.</summary>
    Host,

    /// <summary>Other nodes.</summary>
    RemoteNode,

    /// <summary>All endpoints and nodes.</summary>
    Cluster,

    /// <summary>Endpoints without labels yet.</summary>
    Init,

    /// <summary>Ingress proxies.</summary>
    Ingress,

    /// <summary>Health endpoints.</summary>
    Health,

    /// <summary>Endpoints that the agent does not manage.</summary>
    Unmanaged,

    /// <summary>The API server.</summary>
    KubeApiServer,

    /// <summary>Nobody.</summary>
    None,
}
