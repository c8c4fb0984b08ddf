using System.Collections.Generic;
using Postern.Policy.Compile;
using Postern.Policy.Config;

namespace Postern.Policy;

/// <summary>One endpoint's compiled policy. An update that leaves the resource as it was keeps the same object.</summary>
public sealed class EndpointPolicy
{
    private readonly DirectionPolicy ingress;
    private readonly DirectionPolicy egress;

    internal EndpointPolicy(NetworkPolicyConfig config, DirectionPolicy ingress, DirectionPolicy egress)
    {
        Config = config;
        this.ingress = ingress;
        this.egress = egress;
    }

    /// <summary>Resource name.</summary>
    public string Name => Config.Name;

    /// <summary>Low 32 bits of endpoint_id, as used in marks.</summary>
    public uint EndpointId => unchecked((uint)Config.EndpointId);

    /// <summary>The resource this was compiled from.</summary>
    public NetworkPolicyConfig Config { get; }

    /// <summary>The compiled rules for a port; never null: a port that nothing covers gives an object that denies and says why.</summary>
    public PortPolicy FindPort(TrafficDirection direction, ushort port) => For(direction).Find(port);

    /// <summary>All ranges of a direction in port order, the wildcard (0–0) first: for dumps.</summary>
    public IReadOnlyList<PortRangePolicy> Ranges(TrafficDirection direction) => For(direction).Ranges;

    internal DirectionPolicy For(TrafficDirection direction) => direction == TrafficDirection.Ingress ? ingress : egress;
}
