using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using Postern.Agent.Compile;
using Postern.Agent.Identities;
using Postern.Agent.Model;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Xds;

namespace Postern.Agent.Trace;

/// <summary>One side of a traced connection.</summary>
/// <param name="Identity">Its security identity.</param>
/// <param name="Endpoint">The endpoint of this node, or null: then its own policy is not known here.</param>
/// <param name="Address">Its address, or null when only an identity is known.</param>
/// <param name="Text">For people.</param>
public sealed record TraceParty(uint Identity, CompiledEndpoint? Endpoint, IPAddress? Address, string Text)
{
    /// <summary>
    /// Finds who is meant: an endpoint's <c>namespace/name</c>, an address, an entity (<c>reserved:world</c> or <c>world</c>) or labels
    /// joined by commas, which the first endpoint by name that has all of them answers to.
    /// </summary>
    /// <param name="node">Where to look.</param>
    /// <param name="text">What was asked for.</param>
    /// <param name="problem">Why nobody was found.</param>
    public static TraceParty? Find(CompiledNode node, string text, out string problem)
    {
        problem = "";
        var named = node.Endpoints.FirstOrDefault(endpoint => endpoint.Name == text || endpoint.Name == "default/" + text);
        if (named is not null)
        {
            return Of(named, named.Addresses.Count > 0 ? named.Addresses[0] : null);
        }
        if (IPAddress.TryParse(text, out var address))
        {
            return node.Endpoints.FirstOrDefault(endpoint => endpoint.Addresses.Contains(address)) is { } owner ? Of(owner, address) : Of(node, address);
        }
        var word = text.StartsWith("reserved:", StringComparison.Ordinal) ? text["reserved:".Length..] : text;
        foreach (var (identity, name) in ReservedIdentities.Names)
        {
            if (name == word)
            {
                return new TraceParty(identity, null, null, $"reserved:{name}");
            }
        }
        var wanted = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Label.Parse)
            .Select(label => LabelRequirement.Is(label.Source, label.Key, label.Value)).ToList();
        var selector = new LabelSelector(wanted);
        var found = node.Endpoints.Where(endpoint => wanted.Count > 0 && selector.Matches(new LabelSet(endpoint.Labels.Select(Label.Parse))))
            .OrderBy(endpoint => endpoint.Name, StringComparer.Ordinal).FirstOrDefault();
        if (found is null)
        {
            problem = $"'{text}' is no endpoint, address or entity, and no endpoint has these labels; there are {string.Join(", ", node.Endpoints.Select(one => one.Name).Take(20))}";
            return null;
        }
        return Of(found, found.Addresses.Count > 0 ? found.Addresses[0] : null);
    }

    private static TraceParty Of(CompiledEndpoint endpoint, IPAddress? address) => new(endpoint.Identity, endpoint, address, endpoint.Name);

    private static TraceParty Of(CompiledNode node, IPAddress address)
    {
        var map = IdentityMap.Compile([.. node.Hosts.Select(PolicyResources.FromProto)]);
        var identity = map.Find(address);
        return new TraceParty(identity == Postern.Policy.Identities.Unknown ? Postern.Policy.Identities.World : identity, null, address, address.ToString());
    }
}
