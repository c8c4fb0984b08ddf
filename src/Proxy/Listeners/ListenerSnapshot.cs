using System;
using Postern.Filters.Listener;
using Postern.Proxy.Stats;
using Postern.Records;
using Postern.Xds.Config;

namespace Postern.Proxy.Listeners;

/// <summary>A compiled listener. A connection takes it when it is accepted and keeps it.</summary>
internal sealed class ListenerSnapshot
{
    public required ListenerConfig Config { get; init; }

    public string Name => Config.Name;

    /// <summary>Look for a TLS hello.</summary>
    public required bool InspectTls { get; init; }

    /// <summary>Look for HTTP.</summary>
    public required bool InspectHttp { get; init; }

    /// <summary>Most bytes an inspector may ask for.</summary>
    public required int MaxInspectBytes { get; init; }

    /// <summary><c>cilium.bpf_metadata</c>, or null.</summary>
    public required BpfMetadata? Metadata { get; init; }

    /// <summary>Ask conntrack for redirected connections (<c>original_dst</c>); TPROXY needs no asking.</summary>
    public required bool OriginalDst { get; init; }

    public required FilterChainMatcher<ChainSnapshot> Chains { get; init; }

    /// <summary>Scopes that the chains count in; released once with the last connection that was accepted under this snapshot.</summary>
    public StatsScope[] StatsScopes { get; init; } = [];

    /// <summary>For connections that reach no chain.</summary>
    public required IRecordSink Sink { get; init; }
}
