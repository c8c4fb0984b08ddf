using System;
using System.Collections.Generic;
using System.Linq;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Postern.Agent.Model;
using Postern.Xds.Text;

namespace Postern.Agent.Compile;

/// <summary>Resources of a CiliumEnvoyConfig as they are served: qualified, completed, with Cilium's filters.</summary>
internal static class EnvoyConfigCompiler
{
    /// <summary>Qualified names of all listeners, for policies that refer to them.</summary>
    public static IEnumerable<string> ListenerNames(NodeModel model) => model.EnvoyConfigs.SelectMany(config => config.Resources
        .Where(resource => resource.Is(Listener.Descriptor))
        .Select(resource => new NameQualifier(config.Key).Owned(resource.Unpack<Listener>().Name)));

    /// <summary>Qualified names of the listeners that policies send traffic to.</summary>
    public static HashSet<string> NamedListeners(NodeModel model) => [.. model.Policies
        .SelectMany(policy => policy.Specs)
        .SelectMany(spec => spec.Rules)
        .SelectMany(rule => rule.ToPorts ?? [])
        .Select(ports => ports.Listener?.QualifiedName)
        .OfType<string>()];

    /// <summary>One configuration.</summary>
    public static CompiledEnvoyConfig Compile(EnvoyConfigObject config, IReadOnlySet<string> named)
    {
        var rewriter = new ResourceRewriter(new NameQualifier(config.Key));
        List<Any> listeners = [], clusters = [], routes = [], endpoints = [], secrets = [];
        foreach (var resource in config.Resources)
        {
            if (resource.Is(Listener.Descriptor))
            {
                var listener = resource.Unpack<Listener>();
                rewriter.Rewrite(listener);
                FilterInjector.Inject(listener, config, named);
                listeners.Add(Any.Pack(listener));
            }
            else if (resource.Is(Cluster.Descriptor))
            {
                clusters.Add(Rewritten(resource.Unpack<Cluster>()));
            }
            else if (resource.Is(RouteConfiguration.Descriptor))
            {
                routes.Add(Rewritten(resource.Unpack<RouteConfiguration>()));
            }
            else if (resource.Is(ClusterLoadAssignment.Descriptor))
            {
                endpoints.Add(Rewritten(resource.Unpack<ClusterLoadAssignment>()));
            }
            else if (MessageTypes.TryFind(Any.GetTypeName(resource.TypeUrl), out var type))
            {
                secrets.Add(Rewritten(type.Parser.ParseFrom(resource.Value)));
            }
        }
        return new CompiledEnvoyConfig(config.Key.QualifiedName, Sorted(listeners), Sorted(clusters), Sorted(routes), Sorted(endpoints), Sorted(secrets));

        Any Rewritten(IMessage message)
        {
            rewriter.Rewrite(message);
            return Any.Pack(message);
        }
    }

    // By content, which begins with the name.
    private static List<Any> Sorted(List<Any> resources) => [.. resources.OrderBy(one => Convert.ToHexString(one.Value.Span), StringComparer.Ordinal)];
}
