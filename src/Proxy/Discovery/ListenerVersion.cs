using System;
using System.Collections.Generic;
using Postern.Proxy.Http;
using Postern.Proxy.Tls;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>One version of a listener with its references to route tables; owned by the <see cref="ListenerSink"/>, changed under the gate.</summary>
internal sealed class ListenerVersion(ListenerConfig config, DiscoveredResource? resource, Provenance provenance, DateTimeOffset since)
{
    private readonly List<(NamedResource<RouteTable> Table, RouteSlot Slot)> tables = [];
    private readonly List<(FilterChainConfig Chain, HeldTls<TlsServerContext> Tls)> contexts = [];
    private Action? watcher;

    public ListenerConfig Config => config;

    /// <summary>Null for one of the bootstrap.</summary>
    public DiscoveredResource? Resource { get; private set; } = resource;

    public Provenance Provenance { get; private set; } = provenance;

    public DateTimeOffset Since { get; set; } = since;

    /// <summary>Why its sockets could not be opened, or empty.</summary>
    public string OpenError { get; set; } = "";

    /// <summary>Every route table has arrived, or the wait for it is over.</summary>
    public bool IsWarm => tables.TrueForAll(static t => t.Table.IsSettled);

    /// <summary>The source repeated itself.</summary>
    public void Confirm(DiscoveredResource? again, Provenance from) => (Resource, Provenance) = (again, from);

    public void Hold(NamedResources<RouteTable> all, Action changed)
    {
        watcher = changed;
        foreach (var rds in Names(config))
        {
            if (Find(rds) is null)
            {
                var slot = new RouteSlot(rds.RouteConfigName);
                tables.Add((all.Hold(rds.RouteConfigName, rds.Source, changed), slot));
            }
        }
        TakeTables();
    }

    public void Release(NamedResources<RouteTable> all)
    {
        foreach (var (table, _) in tables)
        {
            all.Release(table, watcher!);
        }
        tables.Clear();
        foreach (var (_, tls) in contexts)
        {
            tls.Dispose();
        }
        contexts.Clear();
    }

    /// <summary>Refers to the secrets of its chains. It does not wait for them: until they are there, handshakes are refused.</summary>
    public void HoldTls(SecretCache secrets, TimeProvider time)
    {
        foreach (var chain in Chains(config))
        {
            if (chain.Tls is { } tls)
            {
                contexts.Add((chain, HeldTls.Server(secrets, tls, time)));
            }
        }
    }

    /// <summary>The context of a chain of it.</summary>
    public TlsContextSlot<TlsServerContext> Tls(FilterChainConfig chain)
    {
        foreach (var (known, tls) in contexts)
        {
            if (ReferenceEquals(known, chain))
            {
                return tls.Slot;
            }
        }
        throw new InvalidOperationException($"the TLS of filter chain \"{chain.Name}\" is not held");
    }

    /// <summary>Swaps in what has arrived.</summary>
    public void TakeTables()
    {
        foreach (var (table, slot) in tables)
        {
            slot.Current = table.Value;
        }
    }

    /// <summary>The slot of a table.</summary>
    public RouteSlot Slot(RdsConfig rds) => Find(rds) ?? throw new InvalidOperationException($"route table {rds.RouteConfigName} is not held");

    public IReadOnlyList<string> WaitingFor()
    {
        var names = new List<string>();
        foreach (var (table, _) in tables)
        {
            if (!table.IsSettled)
            {
                names.Add(table.Title);
            }
        }
        return names;
    }

    /// <summary>Sources of policy that its filters name.</summary>
    public static ConfigSourceConfig? PolicySource(ListenerConfig config)
    {
        foreach (var filter in config.ListenerFilters)
        {
            if (filter is BpfMetadataConfig metadata)
            {
                return metadata.PolicySource;
            }
        }
        return null;
    }

    private RouteSlot? Find(RdsConfig rds)
    {
        foreach (var (table, slot) in tables)
        {
            if (table.Name == rds.RouteConfigName && table.Source == rds.Source)
            {
                return slot;
            }
        }
        return null;
    }

    private static IEnumerable<RdsConfig> Names(ListenerConfig config)
    {
        foreach (var chain in Chains(config))
        {
            if (chain.Filters[^1] is HttpConnectionManagerConfig { Rds: { } rds })
            {
                yield return rds;
            }
        }
    }

    private static IEnumerable<FilterChainConfig> Chains(ListenerConfig config)
    {
        foreach (var chain in config.FilterChains)
        {
            yield return chain;
        }
        if (config.DefaultFilterChain is { } last)
        {
            yield return last;
        }
    }
}
