namespace Postern.Policy;

/// <summary>Which side of the pod the traffic is on (Hubble's <c>traffic_direction</c>).</summary>
public enum TrafficDirection
{
    /// <summary>Towards the pod: the pod is the destination, the remote side is the source.</summary>
    Ingress,

    /// <summary>From the pod: the pod is the source, the remote side is the destination.</summary>
    Egress,
}
