using System;
using System.Collections.Generic;
using Postern.Policy.Config;

namespace Postern.Policy.Compile;

/// <summary>
/// Compiled parts that the next update may share, owned by the newest snapshot's compilation. Handed on from snapshot to snapshot, because
/// collecting them from 10,000 endpoints costs more than an update; given up when too much of it is of policies that are gone.
/// </summary>
internal sealed class CompilePool
{
    private const int LeastStale = 64;

    private int stale;

    public CompilePool(PolicySnapshot previous)
    {
        Ports = new PortPolicyCompiler(previous);
        Directions = new Dictionary<EquatableList<PortNetworkPolicyConfig>, DirectionPolicy>(previous.Endpoints.Count);
        foreach (var endpoint in previous.Endpoints)
        {
            foreach (var direction in new[] { TrafficDirection.Ingress, TrafficDirection.Egress })
            {
                var compiled = endpoint.For(direction);
                Directions.TryAdd(compiled.Config, compiled);
            }
        }
    }

    public Dictionary<EquatableList<PortNetworkPolicyConfig>, DirectionPolicy> Directions { get; }

    public PortPolicyCompiler Ports { get; }

    /// <summary>Notes that endpoints changed or went; returns this, or null when it holds too much that nobody needs.</summary>
    public CompilePool? AfterLosing(int endpoints, int live)
    {
        stale += endpoints;
        return stale > Math.Max(LeastStale, live / 8) ? null : this;
    }
}
