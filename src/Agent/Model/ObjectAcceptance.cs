using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;

namespace Postern.Agent.Model;

/// <summary>
/// Checks objects against each other: names, addresses and endpoint ids are given once. Who had it before keeps it; among new ones the
/// first file wins.
/// </summary>
internal sealed class ObjectAcceptance(NodeModel? previous)
{
    private readonly Dictionary<ObjectKey, ObjectSource> keys = [];
    private readonly Dictionary<IPAddress, EndpointObject> addresses = [];
    private readonly Dictionary<ushort, EndpointObject> ids = [];

    public List<NodeObject> Accept(List<NodeObject> candidates, List<ModelProblem> problems)
    {
        var before = (previous?.Objects ?? []).ToDictionary(one => one.Key);
        var held = new Dictionary<IPAddress, ObjectKey>();
        foreach (var endpoint in previous?.Endpoints ?? [])
        {
            foreach (var address in endpoint.Addresses)
            {
                held[address] = endpoint.Key;
            }
        }
        var accepted = new List<NodeObject>();
        foreach (var one in candidates.OrderBy(one => Rank(one, before, held)))
        {
            if (Conflict(one) is { } reason)
            {
                problems.Add(new ModelProblem(one.Source.File, one.Source.Line, 1, "", reason));
                if (before.TryGetValue(one.Key, out var old) && old.Source.File == one.Source.File && Conflict(old) is null)
                {
                    Take(old);
                    accepted.Add(old);
                }
            }
            else
            {
                Take(one);
                accepted.Add(one);
            }
        }
        return accepted;
    }

    // An endpoint that keeps an address it had goes before one that wants it.
    private static int Rank(NodeObject one, Dictionary<ObjectKey, NodeObject> before, Dictionary<IPAddress, ObjectKey> held)
    {
        var known = before.TryGetValue(one.Key, out var old) && old.Source.File == one.Source.File;
        var keeps = one is not EndpointObject endpoint || endpoint.Addresses.All(address => held.TryGetValue(address, out var key) && key == one.Key);
        return known ? (keeps ? 0 : 1) : 2;
    }

    private string? Conflict(NodeObject one)
    {
        if (keys.TryGetValue(one.Key, out var other))
        {
            return $"{one.Key} is declared in {other} and in {one.Source}; remove one of them";
        }
        if (one is not EndpointObject endpoint)
        {
            return null;
        }
        foreach (var address in endpoint.Addresses)
        {
            if (addresses.TryGetValue(address, out var owner))
            {
                return $"{one.Key} in {one.Source} has the address {address} of {owner.Key} in {owner.Source}";
            }
        }
        return endpoint.Id is { } id && ids.TryGetValue(id, out var same) ? $"{one.Key} in {one.Source} has the id {id} of {same.Key} in {same.Source}" : null;
    }

    private void Take(NodeObject one)
    {
        keys.Add(one.Key, one.Source);
        if (one is EndpointObject endpoint)
        {
            foreach (var address in endpoint.Addresses)
            {
                addresses.Add(address, endpoint);
            }
            if (endpoint.Id is { } id)
            {
                ids.Add(id, endpoint);
            }
        }
    }
}
