using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Postern.Policy;

namespace Postern.Agent.Model.Reading;

/// <summary>How a rule names the other side. Several ways in one rule are alternatives.</summary>
internal static class PeerReader
{
    private static readonly Dictionary<string, PeerEntity> Entities = new(StringComparer.Ordinal)
    {
        ["all"] = PeerEntity.All,
        ["world"] = PeerEntity.World,
        ["world-ipv4"] = PeerEntity.WorldIpv4,
        ["world-ipv6"] = PeerEntity.WorldIpv6,
        ["host"] = PeerEntity.Host,
        ["remote-node"] = PeerEntity.RemoteNode,
        ["cluster"] = PeerEntity.Cluster,
        ["init"] = PeerEntity.Init,
        ["ingress"] = PeerEntity.Ingress,
        ["health"] = PeerEntity.Health,
        ["unmanaged"] = PeerEntity.Unmanaged,
        ["kube-apiserver"] = PeerEntity.KubeApiServer,
        ["none"] = PeerEntity.None,
    };

    /// <summary>Null when the rule names no other side.</summary>
    public static List<Peer>? Read(FieldCursor rule, string where, TrafficDirection direction, RuleEffect effect, ObjectMetadata metadata)
    {
        List<Peer>? peers = null;
        var from = direction == TrafficDirection.Ingress ? "from" : "to";
        Add(from + "Endpoints", item => new LabelPeer(SelectorReader.ReadPeer(item, metadata.Key.Namespace)));
        Add(from + "Entities", ReadEntity);
        Add(from + "CIDR", item => new CidrPeer(Prefix(item) ?? default, []));
        Add(from + "CIDRSet", item => ReadCidrSet(item, where, effect));
        // Known, and known to need what is not here: nobody is selected, so nothing is allowed by them.
        Keep(from + "Nodes", "no node is known here");
        Keep(from + "Groups", "cloud provider groups are not read");
        if (direction == TrafficDirection.Egress)
        {
            Keep("toFQDNs", "names get no identity until DNS policy is built in");
            Keep("toServices", "services get no identity; name their endpoints with toEndpoints");
        }
        if (rule.Field(from + "Requires") is { } requires)
        {
            requires.Refuse($"is not built in: what it forbids would be allowed; write the labels into {from}Endpoints");
        }
        return peers;

        void Add(string name, Func<FieldCursor, Peer> read)
        {
            foreach (var item in Present(name)?.Items() ?? [])
            {
                peers!.Add(read(item));
            }
        }

        void Keep(string name, string reason)
        {
            if (Present(name) is { } field)
            {
                var count = field.Items().Count;
                peers!.AddRange(Enumerable.Repeat<Peer>(new UnresolvedPeer(name), Math.Min(count, 1)));
                if (effect == RuleEffect.Deny)
                {
                    field.Refuse($"{reason}, so that what the rule denies would pass; name the other side by endpoints, entities or CIDR");
                }
                rule.Problems.Warn($"{where}: {name}: {reason}; the rule allows nothing through it");
            }
        }

        FieldCursor? Present(string name)
        {
            var field = rule.Field(name);
            if (field is not null)
            {
                peers ??= []; // an empty list selects nobody, which is not the same as no list
            }
            return field;
        }
    }

    /// <summary>A CIDR, or an address alone; bits behind the prefix are cleared.</summary>
    public static IPNetwork? Prefix(FieldCursor field)
    {
        var text = field.Text();
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var address = slash < 0 ? text : text[..slash];
        if (StrictAddress(address) is { } parsed)
        {
            var width = parsed.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
            var length = width;
            if (slash < 0 || (byte.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None, null, out var bits) && (length = bits) <= width))
            {
                return new IPNetwork(Mask(parsed, length), length);
            }
        }
        if (field.Node.Kind == Xds.Text.ConfigNodeKind.String)
        {
            field.Refuse("is no CIDR; write it as 10.0.0.0/8 or fd00::/64");
        }
        return null;
    }

    /// <summary>An address in the usual text form only: no short forms, octal, zones or IPv4 inside IPv6.</summary>
    public static IPAddress? StrictAddress(string text)
    {
        if (!IPAddress.TryParse(text, out var address) || text.AsSpan().IndexOfAny("%[]") >= 0 || address.IsIPv4MappedToIPv6)
        {
            return null;
        }
        return address.AddressFamily == AddressFamily.InterNetworkV6 || address.ToString() == text ? address : null;
    }

    private static IPAddress Mask(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            var keep = Math.Clamp(length - (i * 8), 0, 8);
            bytes[i] = (byte)(bytes[i] & (0xFF << (8 - keep)));
        }
        return new IPAddress(bytes);
    }

    private static Peer ReadEntity(FieldCursor item)
    {
        var word = item.Choice([.. Entities.Keys]);
        return new EntityPeer(Entities[word]);
    }

    private static Peer ReadCidrSet(FieldCursor item, string where, RuleEffect effect)
    {
        var prefix = item.Field("cidr") is { } field ? Prefix(field) : null;
        var except = new List<IPNetwork>();
        foreach (var one in item.Field("except")?.Items() ?? [])
        {
            if (Prefix(one) is { } hole)
            {
                except.Add(hole);
                if (prefix is { } outer && !Identities.CidrBook.Contains(outer, hole))
                {
                    one.Refuse($"is not within {outer}");
                }
            }
        }
        var grouped = item.Field("cidrGroupRef") is not null | item.Field("cidrGroupSelector") is not null;
        item.RefuseUnknown();
        if (grouped && effect == RuleEffect.Deny)
        {
            item.Refuse("CIDR groups are not read, so that what the rule denies would pass; write the CIDRs out");
        }
        if (grouped)
        {
            item.Problems.Warn($"{where}: cidrGroupRef, cidrGroupSelector: CIDR groups are not read; nothing is selected by them");
        }
        else if (prefix is null && !item.Node.Members.Exists(member => member.Name == "cidr"))
        {
            item.Refuse("has no cidr");
        }
        return prefix is { } found && !grouped ? new CidrPeer(found, except) : new UnresolvedPeer("cidrGroupRef");
    }
}
