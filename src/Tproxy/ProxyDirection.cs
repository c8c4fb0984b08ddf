namespace Postern.Tproxy;

/// <summary>Which side of an endpoint a listener serves. Mirrors the policy room's direction, which this room may not reference.</summary>
public enum ProxyDirection
{
    /// <summary>Towards the endpoint on this node.</summary>
    Ingress = 0,

    /// <summary>From the endpoint on this node.</summary>
    Egress = 1,
}
