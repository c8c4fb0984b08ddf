using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf.Reflection;

namespace Postern.Xds.Text;

/// <summary>The messages that may stand in an Any, by full name.</summary>
internal static class MessageTypes
{
    private static readonly Dictionary<string, MessageDescriptor> ByName = Build();

    /// <summary>Full names.</summary>
    public static IEnumerable<string> Names => ByName.Keys;

    /// <summary>By the part of the type URL behind the last slash.</summary>
    public static bool TryFind(string fullName, [NotNullWhen(true)] out MessageDescriptor? type) => ByName.TryGetValue(fullName, out type);

    private static Dictionary<string, MessageDescriptor> Build()
    {
        MessageDescriptor[] types =
        [
            Cilium.NetworkPolicy.Descriptor,
            Cilium.NetworkPolicyHosts.Descriptor,
            Cilium.BpfMetadata.Descriptor,
            Cilium.NetworkFilter.Descriptor,
            Cilium.L7Policy.Descriptor,
            Cilium.WebSocketClient.Descriptor,
            Cilium.WebSocketServer.Descriptor,
            Envoy.Config.Listener.V3.Listener.Descriptor,
            Envoy.Config.Cluster.V3.Cluster.Descriptor,
            Envoy.Config.Route.V3.RouteConfiguration.Descriptor,
            Envoy.Config.Endpoint.V3.ClusterLoadAssignment.Descriptor,
            Envoy.Extensions.TransportSockets.Tls.V3.Secret.Descriptor,
            Envoy.Service.Discovery.V3.Resource.Descriptor,
            Envoy.Extensions.Filters.Listener.OriginalDst.V3.OriginalDst.Descriptor,
            Envoy.Extensions.Filters.Listener.TlsInspector.V3.TlsInspector.Descriptor,
            Envoy.Extensions.Filters.Listener.HttpInspector.V3.HttpInspector.Descriptor,
            Envoy.Extensions.Filters.Network.TcpProxy.V3.TcpProxy.Descriptor,
            Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Descriptor,
            Envoy.Extensions.Filters.Http.Router.V3.Router.Descriptor,
            Cilium.DownstreamTlsWrapperContext.Descriptor,
            Cilium.UpstreamTlsWrapperContext.Descriptor,
            Envoy.Extensions.TransportSockets.RawBuffer.V3.RawBuffer.Descriptor,
            Envoy.Extensions.TransportSockets.Tls.V3.UpstreamTlsContext.Descriptor,
            Envoy.Extensions.TransportSockets.Tls.V3.DownstreamTlsContext.Descriptor,
            Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions.Descriptor,
            Envoy.Extensions.AccessLoggers.File.V3.FileAccessLog.Descriptor,
            Envoy.Extensions.AccessLoggers.Stream.V3.StdoutAccessLog.Descriptor,
            Envoy.Extensions.AccessLoggers.Stream.V3.StderrAccessLog.Descriptor,
            Envoy.Extensions.Bootstrap.InternalListener.V3.InternalListener.Descriptor,
            Envoy.Extensions.Http.HeaderFormatters.PreserveCase.V3.PreserveCaseFormatterConfig.Descriptor,
            Envoy.Extensions.ResourceMonitors.DownstreamConnections.V3.DownstreamConnectionsConfig.Descriptor,
            Envoy.Extensions.ResourceMonitors.FixedHeap.V3.FixedHeapConfig.Descriptor,
            Envoy.Extensions.ResourceMonitors.CgroupMemory.V3.CgroupMemoryConfig.Descriptor,
            Envoy.Extensions.ResourceMonitors.InjectedResource.V3.InjectedResourceConfig.Descriptor,
            Envoy.Config.Overload.V3.ScaleTimersOverloadActionConfig.Descriptor,
            Envoy.Config.Overload.V3.ShrinkHeapConfig.Descriptor,
        ];
        var result = new Dictionary<string, MessageDescriptor>(StringComparer.Ordinal);
        foreach (var type in types)
        {
            result.Add(type.FullName, type);
        }
        return result;
    }
}
