using System;
using System.Collections.Generic;
using System.Net;
using System.Threading;
using Postern.Xds.Config;

namespace Postern.Proxy.Upstream;

/// <summary>
/// The endpoints that a cluster sends to: those of the lowest priority that has a usable one. Immutable but for the round-robin position.
/// </summary>
internal sealed class EndpointSet
{
    public static readonly EndpointSet Empty = new([], null);

    private readonly EndPoint[] endpoints;
    private readonly ulong[]? ends; // running sums of the weights; null when all are equal
    private int next = -1;

    private EndpointSet(EndPoint[] endpoints, ulong[]? ends)
    {
        this.endpoints = endpoints;
        this.ends = ends;
    }

    public bool IsEmpty => endpoints.Length == 0;

    public static EndpointSet Of(IReadOnlyList<EndPoint> addresses) => addresses.Count == 0 ? Empty : new EndpointSet([.. addresses], null);

    public static EndpointSet Of(IReadOnlyList<LbEndpointConfig> configs)
    {
        uint? priority = null;
        foreach (var config in configs)
        {
            if (config.Usable && (priority is null || config.Priority < priority))
            {
                priority = config.Priority;
            }
        }
        var chosen = new List<EndPoint>();
        var ends = new List<ulong>();
        var total = 0UL;
        var equal = true;
        foreach (var config in configs)
        {
            if (config.Usable && config.Priority == priority)
            {
                chosen.Add(config.Address);
                var weight = Math.Max(config.Weight, 1);
                equal &= ends.Count == 0 || weight == ends[0];
                ends.Add(total += weight);
            }
        }
        return chosen.Count == 0 ? Empty : new EndpointSet([.. chosen], equal ? null : [.. ends]);
    }

    /// <summary>The next endpoint, or null when there is none.</summary>
    public EndPoint? Pick()
    {
        if (endpoints.Length <= 1)
        {
            return endpoints.Length == 0 ? null : endpoints[0];
        }
        var turn = (uint)Interlocked.Increment(ref next);
        if (ends is null)
        {
            return endpoints[turn % (uint)endpoints.Length];
        }
        // Steps of the golden ratio spread the turns over the weights evenly, so that a heavy endpoint does not get its share in one go.
        var at = (ulong)(((UInt128)(turn * 0x9E3779B9u) * ends[^1]) >> 32);
        var found = Array.BinarySearch(ends, at + 1);
        return endpoints[found < 0 ? ~found : found];
    }

    /// <summary>Whether connections to that endpoint may still be used.</summary>
    public bool Contains(EndPoint endpoint) => Array.IndexOf(endpoints, endpoint) >= 0;
}
