using System;
using System.Collections.Generic;
using System.Net;

namespace Postern.Agent.Model.Reading;

/// <summary>A v1 Service: selector, ports and clusterIP; what else a Service may say is about other things than backends.</summary>
internal static class ServiceReader
{
    public static NodeObject Read(FieldCursor root, ObjectMetadata metadata)
    {
        Dictionary<string, string> selector = [];
        var ports = new List<ServicePort>();
        IPAddress? address = null;
        if (root.Required("spec") is { } spec)
        {
            selector = spec.Field("selector")?.TextMap() ?? [];
            var items = spec.Field("ports")?.Items() ?? [];
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (var item in items)
            {
                var port = ReadPort(item);
                if (!names.Add(port.Name))
                {
                    item.Refuse(port.Name.Length == 0 ? "has no name; with several ports each needs one" : "has the name of another port");
                }
                ports.Add(port);
            }
            if (spec.Field("clusterIP") is { } ip && ip.Text() is var text and not ("None" or "") && (address = PeerReader.StrictAddress(text)) is null)
            {
                ip.Refuse("is no address; write one, or None");
            }
            spec.Ignore("type", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "sessionAffinity", "internalTrafficPolicy", "externalTrafficPolicy");
            spec.RefuseUnknown();
        }
        return new ServiceObject(metadata.Key, metadata.Source, selector, ports, address);
    }

    private static ServicePort ReadPort(FieldCursor item)
    {
        var port = item.Required("port") is { } one ? (ushort)one.Integer(1, ushort.MaxValue) : (ushort)0;
        var target = port;
        if (item.Field("targetPort") is { } two)
        {
            if (two.Node.Kind == Xds.Text.ConfigNodeKind.String)
            {
                two.Refuse("named ports are not resolved; write the number");
            }
            else
            {
                target = (ushort)two.Integer(1, ushort.MaxValue);
            }
        }
        var read = new ServicePort(
            item.Field("name")?.Text() ?? "",
            port,
            target,
            item.Field("protocol")?.Choice("TCP", "UDP", "SCTP") ?? "TCP");
        item.Ignore("appProtocol", "nodePort");
        item.RefuseUnknown();
        return read;
    }
}
