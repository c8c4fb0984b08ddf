using System;
using System.Collections.Generic;
using System.Linq;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Route.V3;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds;
using Postern.Xds.Text;

namespace Postern.Agent.Model.Reading;

/// <summary>CiliumEnvoyConfig and CiliumClusterwideEnvoyConfig.</summary>
internal static class EnvoyConfigReader
{
    private const string Inject = "cec.cilium.io/inject-cilium-filters";
    private const string UseOriginalSource = "cec.cilium.io/use-original-source-address";
    private const string IsL7Lb = "cec.cilium.io/is-l7lb";

    private static readonly string[] Accepted =
    [
        "envoy.config.listener.v3.Listener",
        "envoy.config.route.v3.RouteConfiguration",
        "envoy.config.cluster.v3.Cluster",
        "envoy.config.endpoint.v3.ClusterLoadAssignment",
        "envoy.extensions.transport_sockets.tls.v3.Secret",
    ];

    public static NodeObject Read(FieldCursor root, ObjectMetadata metadata)
    {
        var spec = root.Required("spec");
        List<ServiceReference> services = [.. spec?.Field("services")?.Items().Select(item => ReadService(item, metadata, "ports")) ?? []];
        List<ServiceReference> backends = [.. spec?.Field("backendServices")?.Items().Select(item => ReadService(item, metadata, "number")) ?? []];
        List<Any> resources = [.. spec?.Required("resources")?.Items().Select(ReadResource).OfType<Any>() ?? []];
        if (spec?.Field("nodeSelector") is { } selector)
        {
            SelectorReader.Read(selector);
            root.Problems.Warn($"{metadata.Key}: nodeSelector is not honoured; the resources are served on this node");
        }
        spec?.RefuseUnknown();
        var injection = ReadFlag(root, metadata, Inject) ?? services.Count > 0;
        return new EnvoyConfigObject(metadata.Key, metadata.Source)
        {
            Services = services,
            BackendServices = backends,
            Resources = resources,
            Injection = injection ? FilterInjection.On : FilterInjection.Off,
            UseOriginalSourceAddress = ReadFlag(root, metadata, UseOriginalSource) ?? true,
            IsL7Lb = ReadFlag(root, metadata, IsL7Lb) ?? services.Count > 0,
            Warnings = root.Problems.Warnings,
        };
    }

    private static bool? ReadFlag(FieldCursor root, ObjectMetadata metadata, string key)
    {
        if (!metadata.Annotations.TryGetValue(key, out var value))
        {
            return null;
        }
        if (value is not ("true" or "false"))
        {
            root.Refuse($"annotation {key} is neither \"true\" nor \"false\"");
        }
        return value == "true";
    }

    private static ServiceReference ReadService(FieldCursor item, ObjectMetadata metadata, string portsName)
    {
        var name = item.Required("name") is { } one ? ObjectMetadata.Name(one) : "";
        var space = item.Field("namespace") is { } two ? ObjectMetadata.Name(two) : metadata.Key.Namespace.Length == 0 ? "default" : metadata.Key.Namespace;
        var ports = new List<string>();
        foreach (var port in item.Field(portsName)?.Items() ?? [])
        {
            ports.Add(port.Node.Kind == ConfigNodeKind.Number ? port.Integer(1, ushort.MaxValue).ToString() : port.Text());
        }
        var listener = portsName == "ports" && item.Field("listener") is { } three ? three.Text() : "";
        item.RefuseUnknown();
        return new ServiceReference(space, name, ports, listener);
    }

    private static Any? ReadResource(FieldCursor item)
    {
        try
        {
            var typeNode = item.Node.Members.Find(member => member.Name == "@type").Value;
            var type = typeNode is { Kind: ConfigNodeKind.String } ? typeNode.Text : "";
            var name = type[(type.LastIndexOf('/') + 1)..];
            if (Array.IndexOf(Accepted, name) < 0)
            {
                item.Refuse(
                    type.Length == 0 ? "has no \"@type\"" : $"{Printable.Quote(name)} may not stand here; accepted are {string.Join(", ", Accepted)}",
                    NearMiss.Find(name, Accepted));
                return null;
            }
            return name switch
            {
                "envoy.config.route.v3.RouteConfiguration" => Any.Pack(ProtoJson.Read<RouteConfiguration>(item.Node, ConfigPath.Empty)),
                "envoy.config.endpoint.v3.ClusterLoadAssignment" => Any.Pack(ProtoJson.Read<ClusterLoadAssignment>(item.Node, ConfigPath.Empty)),
                _ => ProtoJson.ReadAny(item.Node, ConfigPath.Empty),
            };
        }
        catch (XdsConfigException e)
        {
            var (line, column) = ConfigDocument.Locate(item.Node, e.ConfigPath);
            item.Problems.Add(line, column, e.Path.Length == 0 ? item.Path : item.Path + "." + e.Path, e.Reason);
            return null;
        }
    }
}
