using System;
using Microsoft.Extensions.Logging;
using Postern.Proxy.Listeners;
using Postern.Proxy.Overload;
using Postern.Xds.Config;

namespace Postern.Proxy.Lifecycle;

/// <summary>Makes the overload manager of this process.</summary>
internal static class Overloads
{
    /// <summary>Null where nothing is to be shed.</summary>
    /// <param name="configured">Of the bootstrap.</param>
    /// <param name="byDefault">See <see cref="RunOptions.ShedByDefault"/>.</param>
    /// <param name="admission">Its state is what the manager writes.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Hears of changes.</param>
    public static OverloadManager? Create(OverloadConfig? configured, bool byDefault, Admission admission, TimeProvider time, ILogger logger)
    {
        var group = MemoryGroup.Find();
        var config = byDefault ? OverloadDefaults.Of(configured, group, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes) : configured;
        return config is null ? null : new OverloadManager(config, monitor => Monitor(monitor, group, admission), admission.Overload, time, Shrink, logger);
    }

    private static IResourceMonitor Monitor(ResourceMonitorConfig config, MemoryGroup? group, Admission admission) => config.Kind switch
    {
        ResourceKind.FixedHeap => new HeapMonitor(config.MaxBytes),
        ResourceKind.CgroupMemory => new CgroupMonitor(group, config.MaxBytes),
        ResourceKind.Injected => new InjectedMonitor(config.FileName),
        _ => new ConnectionMonitor(admission),
    };

    // In the background: an overloaded proxy must not stand still for it.
    private static void Shrink() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
}
