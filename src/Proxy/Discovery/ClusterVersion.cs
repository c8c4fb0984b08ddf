using System;
using System.Collections.Generic;
using Postern.Proxy.Stats;
using Postern.Proxy.Tls;
using Postern.Proxy.Upstream;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>One version of a cluster with its reference to endpoints; owned by the <see cref="ClusterSink"/>, changed under the gate.</summary>
internal sealed class ClusterVersion(ClusterConfig config, DiscoveredResource? resource, Provenance provenance, DateTimeOffset since, ClusterParts parts)
{
    private NamedResource<EndpointsConfig>? endpoints;
    private Action? watcher;
    private HeldTls<TlsClientContext>? tls;

    public ClusterConfig Config => config;

    public ClusterSnapshot Snapshot { get; } = new(config, ClusterStats.In(parts.Stats, config.Name));

    /// <summary>Null for one of the bootstrap.</summary>
    public DiscoveredResource? Resource { get; private set; } = resource;

    public Provenance Provenance { get; private set; } = provenance;

    public DateTimeOffset Since { get; set; } = since;

    /// <summary>Nothing is left to wait for.</summary>
    public bool IsWarm => config.Eds is null || endpoints is { IsSettled: true };

    /// <summary>The source repeated itself.</summary>
    public void Confirm(DiscoveredResource? again, Provenance from) => (Resource, Provenance) = (again, from);

    /// <summary>Refers to the endpoints and the secrets; known ones are taken at once (docs/decisions/0009).</summary>
    public void Hold(ClusterParts all, Action changed, TimeProvider time)
    {
        if (config.Tls is { } wanted)
        {
            tls = HeldTls.Client(all.Secrets, wanted, time);
            Snapshot.Tls = new UpstreamTls(tls.Slot, null);
        }
        else if (config.TlsByPolicy)
        {
            Snapshot.Tls = new UpstreamTls(null, all.PolicyTls);
        }
        if (config.Eds is { } eds)
        {
            watcher = changed;
            endpoints = all.Endpoints.Hold(eds.ServiceName, eds.Source, changed);
            TakeEndpoints();
        }
    }

    /// <summary>The version is dropped: once.</summary>
    public void Release(ClusterParts all)
    {
        tls?.Dispose();
        parts.Stats.Release(Snapshot.Stats.Scope);
        if (endpoints is { } held)
        {
            endpoints = null;
            all.Endpoints.Release(held, watcher!);
        }
    }

    public void TakeEndpoints()
    {
        if (endpoints?.Value is { } known)
        {
            Snapshot.Endpoints = EndpointSet.Of(known.Endpoints);
        }
    }

    public IReadOnlyList<string> WaitingFor() => endpoints is { IsSettled: false } waited ? [waited.Title] : [];

    /// <summary>Where it connects now; all of them, usable or not.</summary>
    public IReadOnlyList<LbEndpointConfig> ReadEndpoints()
    {
        if (config.Eds is not null)
        {
            return endpoints?.Value is { } known ? known.Endpoints : [];
        }
        var list = new List<LbEndpointConfig>();
        foreach (var address in config.Endpoints)
        {
            list.Add(new LbEndpointConfig(address, 0, 1, true));
        }
        return list;
    }
}
