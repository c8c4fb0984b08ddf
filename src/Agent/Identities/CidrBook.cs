using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Postern.Agent.Model;

namespace Postern.Agent.Identities;

/// <summary>
/// The prefixes that policies name, each with an identity of its own: the proxy knows an address by its longest prefix, so a prefix is
/// meant by every rule whose CIDR contains it and whose exceptions do not.
/// </summary>
internal sealed class CidrBook
{
    private readonly List<(IPNetwork Prefix, uint Identity)> entries = [];

    /// <param name="prefixes">Every CIDR and every exception of every policy; /0 is the world.</param>
    /// <param name="allocator">Gives the numbers.</param>
    /// <param name="warnings">Gets a line when the numbers run out.</param>
    public CidrBook(IEnumerable<IPNetwork> prefixes, IdentityAllocator allocator, List<string> warnings)
    {
        foreach (var prefix in prefixes.Where(prefix => prefix.PrefixLength > 0).Distinct().OrderBy(prefix => prefix.ToString(), StringComparer.Ordinal))
        {
            if (allocator.IdentityOf(prefix) is { } identity)
            {
                entries.Add((prefix, identity));
            }
            else
            {
                warnings.Add($"CIDR {prefix} gets no identity: all numbers are in use; rules that name it do not apply to it");
            }
        }
    }

    public IReadOnlyList<(IPNetwork Prefix, uint Identity)> Entries => entries;

    /// <summary>Identities of the prefixes that a rule means.</summary>
    public IEnumerable<uint> Select(CidrPeer peer)
    {
        foreach (var (prefix, identity) in entries)
        {
            if (Contains(peer.Prefix, prefix) && !peer.Except.Any(hole => Contains(hole, prefix)))
            {
                yield return identity;
            }
        }
    }

    /// <summary>Whether the whole of <paramref name="inner"/> lies within <paramref name="outer"/>.</summary>
    public static bool Contains(IPNetwork outer, IPNetwork inner) => outer.PrefixLength <= inner.PrefixLength && outer.Contains(inner.BaseAddress);

    /// <summary>Labels of a prefix's identity; every one is part of the world.</summary>
    public static LabelSet LabelsOf(IPNetwork prefix) => new([new Label("cidr", prefix.ToString(), ""), new Label(Label.Reserved, "world", "")]);

    /// <summary>Whether it is IPv4.</summary>
    public static bool IsIpv4(IPNetwork prefix) => prefix.BaseAddress.AddressFamily == AddressFamily.InterNetwork;
}
