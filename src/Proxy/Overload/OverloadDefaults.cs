using System;
using Postern.Xds.Config;

namespace Postern.Proxy.Overload;

/// <summary>
/// What is done where the bootstrap asks for no action: with a memory bound of the control group, new work is shed before the kernel would kill the process. Old work
/// goes on: memory is given back first, then connections are not kept, then no new ones come in, and last requests on open ones get 503.
/// </summary>
internal static class OverloadDefaults
{
    public const string GroupMonitor = "envoy.resource_monitors.cgroup_memory";
    public const string HeapMonitor = "envoy.resource_monitors.fixed_heap";

    /// <summary>The configuration in force; null: nothing is shed.</summary>
    /// <param name="configured">Of the bootstrap, or null.</param>
    /// <param name="group">This process's, or null.</param>
    /// <param name="heapBound">Bytes the runtime lets its heap grow to; in a group with a bound that is less than the group's.</param>
    public static OverloadConfig? Of(OverloadConfig? configured, MemoryGroup? group, long heapBound)
    {
        if (configured is { Actions.Count: > 0 } || group?.Limit is null)
        {
            return configured;
        }
        return new OverloadConfig
        {
            RefreshInterval = configured?.RefreshInterval ?? TimeSpan.FromSeconds(1),
            Monitors =
            [
                new ResourceMonitorConfig(GroupMonitor, ResourceKind.CgroupMemory, 0, ""),
                new ResourceMonitorConfig(HeapMonitor, ResourceKind.FixedHeap, heapBound, ""),
            ],
            Actions =
            [
                At(OverloadActionKind.ShrinkHeap, 0.85, 0.85),
                At(OverloadActionKind.DisableHttpKeepalive, 0.90, 0.90),
                At(OverloadActionKind.RejectIncomingConnections, 0.90, 0.95),
                At(OverloadActionKind.StopAcceptingRequests, 0.95, 0.98),
            ],
        };
    }

    private static OverloadActionConfig At(OverloadActionKind kind, double scaling, double saturation) =>
        new(kind, [new OverloadTriggerConfig(GroupMonitor, scaling, saturation), new OverloadTriggerConfig(HeapMonitor, scaling, saturation)]);
}
