using System;
using System.Collections.Generic;
using Postern.Proxy.Admin.Pages;
using Postern.Proxy.Stats;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Admin;

/// <summary>Stats that follow from what a target shows anyway: the server's state, counts of clusters and listeners.</summary>
internal sealed class TargetStats(IAdminTarget target, TimeProvider time) : IStatsSource
{
    public void Read(List<StatSample> samples)
    {
        var state = target.State;
        Gauge("server.live", state == ServerState.Live ? 1 : 0);
        Gauge("server.state", (long)state);
        Gauge("server.uptime", (long)Math.Max((time.GetUtcNow() - target.Started).TotalSeconds, 0));
        Gauge("server.concurrency", Environment.ProcessorCount);
        Gauge("server.memory_allocated", GC.GetTotalMemory(forceFullCollection: false));
        Gauge("server.memory_heap_size", GC.GetGCMemoryInfo().TotalCommittedBytes);
        Gauge("server.memory_physical_size", Environment.WorkingSet);
        Gauge("server.version", TextHash.Of(ServerPages.Version));
        var resources = target.Resources;
        var (_, warmingClusters) = Count(resources, ResourceType.Cluster);
        var (activeListeners, warmingListeners) = Count(resources, ResourceType.Listener);
        Gauge("cluster_manager.active_clusters", target.Clusters.Count);
        Gauge("cluster_manager.warming_clusters", warmingClusters);
        Gauge("listener_manager.total_listeners_active", target.Bootstrap.StaticListeners.Count + activeListeners);
        Gauge("listener_manager.total_listeners_warming", warmingListeners);
        SubscriptionStats.Read(target.Subscriptions, samples);

        void Gauge(string name, long value) => samples.Add(StatSample.Gauge(name, value));
    }

    private static (long Active, long Warming) Count(IReadOnlyList<ResourceStatus> resources, ResourceType type)
    {
        long active = 0, warming = 0;
        foreach (var resource in resources)
        {
            if (resource.Type == type)
            {
                active += resource.State == ResourceState.Active ? 1 : 0;
                warming += resource.State == ResourceState.Warming ? 1 : 0;
            }
        }
        return (active, warming);
    }
}
