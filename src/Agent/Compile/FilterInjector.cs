using System.Collections.Generic;
using System.Linq;
using Cilium;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Google.Protobuf.WellKnownTypes;
using Postern.Agent.Model;

namespace Postern.Agent.Compile;

/// <summary>Puts Cilium's filters into the listeners of a CiliumEnvoyConfig: without them a listener knows no identity and no policy.</summary>
internal static class FilterInjector
{
    private const string Network = "cilium.network";
    private const string L7 = "cilium.l7policy";
    private const string Metadata = "cilium.bpf_metadata";
    private const string Router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

    /// <summary>Changes the listener in place. One that the agent gives an address is always policed, and so is one that policies send traffic to.</summary>
    /// <param name="listener">Its name is qualified.</param>
    /// <param name="config">Where it stands.</param>
    /// <param name="named">Names of listeners that policies name.</param>
    public static void Inject(Listener listener, EnvoyConfigObject config, IReadOnlySet<string> named)
    {
        if (listener.Address is null || named.Contains(listener.Name) || config.Injection == FilterInjection.On)
        {
            foreach (var chain in listener.DefaultFilterChain is { } last ? listener.FilterChains.Append(last) : listener.FilterChains)
            {
                Inject(chain);
            }
        }
        if (listener.ListenerFilters.Any(filter => filter.Name == Metadata))
        {
            return;
        }
        listener.ListenerFilters.Add(new ListenerFilter
        {
            Name = Metadata,
            TypedConfig = Any.Pack(new BpfMetadata
            {
                UseOriginalSourceAddress = config.UseOriginalSourceAddress,
                IsL7Lb = config.IsL7Lb,
                UseNphds = true,
                ProxyId = listener.Address?.SocketAddress?.PortValue ?? 0, // whoever allocates a port puts it here, too
            }),
        });
    }

    private static void Inject(FilterChain chain)
    {
        for (var i = 0; i < chain.Filters.Count; i++)
        {
            var config = chain.Filters[i].TypedConfig;
            var isHttp = config?.Is(HttpConnectionManager.Descriptor) ?? false;
            if (!isHttp && !(config?.Is(TcpProxy.Descriptor) ?? false))
            {
                continue;
            }
            if (isHttp)
            {
                var manager = config!.Unpack<HttpConnectionManager>();
                Inject(manager);
                chain.Filters[i].TypedConfig = Any.Pack(manager);
            }
            if (!chain.Filters.Any(filter => filter.Name == Network))
            {
                chain.Filters.Insert(i, new Filter { Name = Network, TypedConfig = Any.Pack(new NetworkFilter()) });
            }
            return;
        }
    }

    private static void Inject(HttpConnectionManager manager)
    {
        if (manager.HttpFilters.Any(filter => filter.Name == L7))
        {
            return;
        }
        for (var i = 0; i < manager.HttpFilters.Count; i++)
        {
            if (manager.HttpFilters[i].TypedConfig?.TypeUrl == Router || manager.HttpFilters[i].Name == "envoy.filters.http.router")
            {
                manager.HttpFilters.Insert(i, new HttpFilter { Name = L7, TypedConfig = Any.Pack(new L7Policy { Denied403Body = "Access denied\r\n" }) });
                return;
            }
        }
    }
}
