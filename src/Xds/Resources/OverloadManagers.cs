using System;
using System.Collections.Generic;
using Envoy.Config.Overload.V3;
using Envoy.Extensions.ResourceMonitors.CgroupMemory.V3;
using Envoy.Extensions.ResourceMonitors.DownstreamConnections.V3;
using Envoy.Extensions.ResourceMonitors.FixedHeap.V3;
using Envoy.Extensions.ResourceMonitors.InjectedResource.V3;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>envoy.config.overload.v3.OverloadManager</c>.</summary>
internal static class OverloadManagers
{
    private static readonly TimeSpan LeastRefresh = TimeSpan.FromMilliseconds(10);

    /// <summary>Validates the manager.</summary>
    /// <param name="manager">As parsed.</param>
    /// <param name="path">Of the manager.</param>
    /// <param name="maxConnections">What its bound on connections says; null without one.</param>
    public static OverloadConfig ToConfig(OverloadManager manager, ConfigPath path, out long? maxConnections)
    {
        var refresh = Durations.ToTimeSpan(manager.RefreshInterval, TimeSpan.FromSeconds(1), path.Field("refresh_interval"));
        if (refresh < LeastRefresh)
        {
            throw path.Field("refresh_interval").Error($"must be {LeastRefresh.TotalMilliseconds} ms or longer");
        }
        long? bound = null;
        var names = new HashSet<string>(StringComparer.Ordinal);
        var monitors = manager.ResourceMonitors.Map(path.Field("resource_monitors"), (monitor, at) =>
        {
            var config = Monitor(monitor, at);
            bound = config.Kind == ResourceKind.DownstreamConnections ? config.MaxBytes : bound;
            return names.Add(config.Name) ? config : throw at.Field("name").Error($"a second monitor named {Printable.Quote(config.Name)}");
        });
        maxConnections = bound;
        var kinds = new HashSet<OverloadActionKind>();
        return new OverloadConfig
        {
            RefreshInterval = refresh,
            Monitors = monitors,
            Actions = manager.Actions.Map(path.Field("actions"), (action, at) =>
            {
                var config = OverloadActions.ToConfig(action, names, at);
                return kinds.Add(config.Kind) ? config : throw at.Field("name").Error($"a second action named {Printable.Quote(action.Name)}");
            }),
        };
    }

    private static ResourceMonitorConfig Monitor(ResourceMonitor monitor, ConfigPath path)
    {
        var name = TypedConfig.Required(monitor.Name, path.Field("name"));
        path = path.Field("typed_config");
        switch (TypedConfig.Unpack(monitor.TypedConfig, path))
        {
            case DownstreamConnectionsConfig connections:
                return connections.MaxActiveDownstreamConnections > 0
                    ? new ResourceMonitorConfig(name, ResourceKind.DownstreamConnections, connections.MaxActiveDownstreamConnections, "")
                    : throw path.Field("max_active_downstream_connections").Error("must be above 0");
            case FixedHeapConfig heap:
                return heap.MaxHeapSizeBytes is > 0 and <= long.MaxValue
                    ? new ResourceMonitorConfig(name, ResourceKind.FixedHeap, (long)heap.MaxHeapSizeBytes, "")
                    : throw path.Field("max_heap_size_bytes").Error("must be above 0");
            case CgroupMemoryConfig group:
                return new ResourceMonitorConfig(name, ResourceKind.CgroupMemory, (long)Math.Min(group.MaxMemoryBytes, long.MaxValue), "");
            case InjectedResourceConfig injected:
                return new ResourceMonitorConfig(name, ResourceKind.Injected, 0, TypedConfig.Required(injected.Filename, path.Field("filename")));
            case var other:
                throw TypedConfig.Misplaced(other, "a resource monitor", path);
        }
    }
}
