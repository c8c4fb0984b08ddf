using System;
using System.Threading.Tasks;
using Postern.Filters.Network.Bytes;
using Postern.Proxy.Listeners;
using Postern.Proxy.Stats;
using Postern.Proxy.Transport;

namespace Postern.Proxy.Tcp;

/// <summary>What a <see cref="FilterRelay"/> is made of.</summary>
internal sealed record FilterRelayParts
{
    public required ByteFilterChain Chain { get; init; }

    public required TransportChannel Downstream { get; init; }

    /// <summary>Judges, where that waited for the filters, and connects; null when it may not or cannot be, with the record written. Called once.</summary>
    public required Func<FilterRelay, ValueTask<UpstreamLink?>> ConnectAsync { get; init; }

    /// <summary>Writes the record of a filter's refusal that has none yet.</summary>
    public required Action<ByteVerdict> Tell { get; init; }

    public required ConnectionRegistry Registry { get; init; }

    public required TcpStats Stats { get; init; }

    /// <summary>Null for none.</summary>
    public required TimeSpan? IdleTimeout { get; init; }
}

/// <summary>The server's side.</summary>
/// <param name="Channel">Owned by the relay.</param>
/// <param name="Stats">Of its cluster.</param>
internal sealed record UpstreamLink(TransportChannel Channel, ClusterStats Stats);
