using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Postern.Agent.Model;

namespace Postern.Agent.Identities;

/// <summary>All identities of one compilation, and whom a rule means by its peers.</summary>
internal sealed class IdentityBook
{
    private static readonly uint[] ClusterReserved =
    [
        ReservedIdentities.Host, ReservedIdentities.RemoteNode, ReservedIdentities.Init, ReservedIdentities.Ingress,
        ReservedIdentities.Health, ReservedIdentities.Unmanaged, ReservedIdentities.KubeApiServer,
    ];

    private readonly SortedDictionary<uint, LabelSet> endpoints = [];
    private readonly CidrBook cidrs;
    private readonly Dictionary<LabelSelector, uint[]> selected = [];
    private readonly bool hasIpv4;
    private readonly bool hasIpv6;

    /// <param name="model">Endpoints and policies.</param>
    /// <param name="allocator">Gives the numbers.</param>
    /// <param name="warnings">Gets a line for what has no number.</param>
    public IdentityBook(NodeModel model, IdentityAllocator allocator, List<string> warnings)
    {
        var namespaces = model.Namespaces.ToDictionary(one => one.Key.Name, one => one.Labels, StringComparer.Ordinal);
        foreach (var endpoint in model.Endpoints)
        {
            var labels = LabelsOf(endpoint, namespaces);
            hasIpv4 |= endpoint.Addresses.Any(address => address.AddressFamily == AddressFamily.InterNetwork);
            hasIpv6 |= endpoint.Addresses.Any(address => address.AddressFamily == AddressFamily.InterNetworkV6);
            if (allocator.IdentityOf(labels) is { } identity)
            {
                endpoints[identity] = labels;
                OfEndpoint[endpoint.Key] = identity;
            }
            else
            {
                warnings.Add($"{endpoint.Key} gets no identity: all {ReservedIdentities.LastEndpoint - ReservedIdentities.FirstEndpoint + 1} are in use; it has no policy and the proxy denies its traffic");
            }
        }
        var peers = model.Policies.SelectMany(policy => policy.Specs).SelectMany(spec => spec.Rules).SelectMany(rule => rule.Peers ?? []).ToList();
        var prefixes = peers.OfType<CidrPeer>().SelectMany(peer => peer.Except.Append(peer.Prefix)).ToList();
        cidrs = new CidrBook(prefixes, allocator, warnings);
        var splits = prefixes.Any(prefix => prefix.PrefixLength == 0)
            || peers.OfType<EntityPeer>().Any(peer => peer.Entity is PeerEntity.WorldIpv4 or PeerEntity.WorldIpv6);
        IsWorldSplit = splits && hasIpv4 && hasIpv6;
    }

    /// <summary>Identity of each endpoint that has one.</summary>
    public Dictionary<ObjectKey, uint> OfEndpoint { get; } = [];

    /// <summary>
    /// Whether addresses that nothing covers are told apart by family. Only when a rule needs it and endpoints of both families are here:
    /// else they are all identity 2.
    /// </summary>
    public bool IsWorldSplit { get; }

    public IReadOnlyDictionary<uint, LabelSet> Endpoints => endpoints;

    public IReadOnlyList<(IPNetwork Prefix, uint Identity)> Cidrs => cidrs.Entries;

    /// <summary>Whom the peers mean; null is everybody. Sorted.</summary>
    public uint[]? Resolve(IReadOnlyList<Peer> peers)
    {
        var identities = new SortedSet<uint>();
        foreach (var peer in peers)
        {
            if (peer is EntityPeer { Entity: PeerEntity.All })
            {
                return null;
            }
            identities.UnionWith(Select(peer));
        }
        return [.. identities];
    }

    private IEnumerable<uint> Select(Peer peer) => peer switch
    {
        LabelPeer labels => SelectLabels(labels.Selector),
        CidrPeer cidr => cidr.Prefix.PrefixLength == 0 ? cidrs.Select(cidr).Concat(SelectRest(cidr)) : cidrs.Select(cidr),
        EntityPeer entity => SelectEntity(entity.Entity),
        _ => [],
    };

    // A whole family: also the addresses that no other prefix covers.
    private uint[] SelectRest(CidrPeer peer) =>
        peer.Except.Any(hole => hole.PrefixLength == 0) ? [] : CidrBook.IsIpv4(peer.Prefix) ? RestOfIpv4() : RestOfIpv6();

    private uint[] RestOfIpv4() => IsWorldSplit ? [ReservedIdentities.WorldIpv4] : hasIpv4 || !hasIpv6 ? [ReservedIdentities.World] : [];

    private uint[] RestOfIpv6() => IsWorldSplit ? [ReservedIdentities.WorldIpv6] : hasIpv6 ? [ReservedIdentities.World] : [];

    private IEnumerable<uint> SelectEntity(PeerEntity entity) => entity switch
    {
        PeerEntity.World => Worlds(_ => true, [ReservedIdentities.World, .. IsWorldSplit ? [.. RestOfIpv4(), .. RestOfIpv6()] : Array.Empty<uint>()]),
        PeerEntity.WorldIpv4 => Worlds(CidrBook.IsIpv4, RestOfIpv4()),
        PeerEntity.WorldIpv6 => Worlds(prefix => !CidrBook.IsIpv4(prefix), RestOfIpv6()),
        PeerEntity.Cluster => endpoints.Keys.Concat(ClusterReserved),
        PeerEntity.Host => [ReservedIdentities.Host],
        PeerEntity.RemoteNode => [ReservedIdentities.RemoteNode],
        PeerEntity.Init => [ReservedIdentities.Init],
        PeerEntity.Ingress => [ReservedIdentities.Ingress],
        PeerEntity.Health => [ReservedIdentities.Health],
        PeerEntity.Unmanaged => [ReservedIdentities.Unmanaged],
        PeerEntity.KubeApiServer => [ReservedIdentities.KubeApiServer],
        _ => [],
    };

    private IEnumerable<uint> Worlds(Func<IPNetwork, bool> family, IEnumerable<uint> rest) =>
        cidrs.Entries.Where(entry => family(entry.Prefix)).Select(entry => entry.Identity).Concat(rest);

    private uint[] SelectLabels(LabelSelector selector)
    {
        if (!selected.TryGetValue(selector, out var found))
        {
            IEnumerable<uint> matching = endpoints.Where(pair => selector.Matches(pair.Value)).Select(pair => pair.Key);
            // Only who names a reserved label means those: "not in" must not reach the world.
            foreach (var one in selector.Requirements.Where(one => one is { Source: Label.Reserved, Operator: SelectorOperator.In or SelectorOperator.Exists }))
            {
                matching = matching.Concat(ReservedIdentities.Names.Keys.Where(identity => selector.Matches(ReservedIdentities.LabelsOf(identity))));
                matching = matching.Concat(cidrs.Entries.Where(entry => selector.Matches(CidrBook.LabelsOf(entry.Prefix))).Select(entry => entry.Identity));
            }
            selected.Add(selector, found = [.. matching.Distinct()]);
        }
        return found;
    }

    private static LabelSet LabelsOf(EndpointObject endpoint, Dictionary<string, IReadOnlyDictionary<string, string>> namespaces)
    {
        var labels = endpoint.Labels.Select(pair => new Label(Label.Kubernetes, pair.Key, pair.Value)).ToList();
        // What the namespace is, only the namespace says.
        labels.RemoveAll(label => label.Key == Label.NamespaceKey || label.Key.StartsWith(Label.NamespaceLabelPrefix, StringComparison.Ordinal));
        labels.Add(new Label(Label.Kubernetes, Label.NamespaceKey, endpoint.Key.Namespace));
        if (namespaces.TryGetValue(endpoint.Key.Namespace, out var extra))
        {
            labels.AddRange(extra.Select(pair => new Label(Label.Kubernetes, Label.NamespaceLabelPrefix + pair.Key, pair.Value)));
        }
        return new LabelSet(labels);
    }
}
