using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Sockets;

namespace Postern.Agent.Model.Reading;

/// <summary>Our own kind: what Kubernetes and the CNI would say about a pod.</summary>
internal static class EndpointReader
{
    private const int MaxInterface = 15; // IFNAMSIZ without its end

    public static NodeObject Read(FieldCursor root, ObjectMetadata metadata)
    {
        var spec = root.Required("spec");
        var endpoint = new EndpointObject(metadata.Key, metadata.Source)
        {
            Labels = metadata.Labels,
            Visibility = ReadVisibility(root, metadata),
            Warnings = root.Problems.Warnings,
            Addresses = spec is null ? [] : ReadAddresses(spec),
            Interface = spec?.Field("interface") is { } one ? Word(one, MaxInterface) : null,
            Netns = spec?.Field("netns") is { } two ? Word(two, 255) : null,
            Id = spec?.Field("id") is { } id ? (ushort)id.Integer(1, ushort.MaxValue) : null,
        };
        spec?.RefuseUnknown();
        return endpoint;
    }

    private static VisibilityAnnotation ReadVisibility(FieldCursor root, ObjectMetadata metadata)
    {
        foreach (var key in VisibilityAnnotation.Keys)
        {
            if (!metadata.Annotations.TryGetValue(key, out var value) || value.Length == 0)
            {
                continue;
            }
            if (VisibilityAnnotation.Parse(value, out var reason) is not { } parsed)
            {
                root.Refuse($"annotation {key} {reason}");
                return VisibilityAnnotation.None;
            }
            foreach (var parser in parsed.Rules.Where(rule => rule.Parser != "http").Select(rule => rule.Parser).Distinct())
            {
                root.Problems.Warn($"{metadata.Key}: annotation {key}: {parser} is not shown yet; its traffic passes as policy says");
            }
            return parsed;
        }
        return VisibilityAnnotation.None;
    }

    private static List<IPAddress> ReadAddresses(FieldCursor spec)
    {
        var addresses = new List<IPAddress>();
        if (spec.Required("ips") is not { } field)
        {
            return addresses;
        }
        foreach (var item in field.Items())
        {
            if (PeerReader.StrictAddress(item.Text()) is not { } address || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            {
                item.Refuse("is no IPv4 or IPv6 address");
            }
            else if (addresses.Exists(known => known.AddressFamily == address.AddressFamily))
            {
                item.Refuse($"is a second {(address.AddressFamily == AddressFamily.InterNetwork ? "IPv4" : "IPv6")} address; an endpoint has one of each at most");
            }
            else
            {
                addresses.Add(address);
            }
        }
        if (addresses.Count == 0)
        {
            field.Refuse("names no address; traffic of an endpoint is known by it");
        }
        return [.. addresses.OrderBy(address => address.AddressFamily == AddressFamily.InterNetworkV6)];
    }

    private static string Word(FieldCursor field, int longest)
    {
        var text = field.Text();
        if (field.Node.Kind == Xds.Text.ConfigNodeKind.String
            && (text.Length == 0 || text.Length > longest || text is "." or ".." || text.Any(c => c is '/' or ':' || char.IsWhiteSpace(c) || char.IsControl(c))))
        {
            field.Refuse($"is no name: 1 to {longest} characters without '/', ':' and space");
        }
        return text;
    }
}
