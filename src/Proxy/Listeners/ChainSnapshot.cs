using System;
using Postern.Filters.Network.Bytes;
using Postern.Proxy.Http;
using Postern.Proxy.Stats;
using Postern.Proxy.Upstream;
using Postern.Records;

namespace Postern.Proxy.Listeners;

/// <summary>A compiled filter chain: what is judged, and what ends it. Exactly one of <see cref="Http"/> and <see cref="Tcp"/> is set.</summary>
internal sealed class ChainSnapshot
{
    /// <summary>For log lines.</summary>
    public required string Name { get; init; }

    /// <summary><c>cilium.network</c> is in the chain.</summary>
    public required bool JudgesConnection { get; init; }

    /// <summary>Takes connection-level records.</summary>
    public required IRecordSink Sink { get; init; }

    /// <summary>TLS towards the client; null where bytes are taken as they are.</summary>
    public DownstreamTls? Tls { get; init; }

    /// <summary><c>http_connection_manager</c>.</summary>
    public HttpListenerSnapshot? Http { get; init; }

    /// <summary>Filters that change the bytes in front of <see cref="Tcp"/>, in order from the client.</summary>
    public IByteFilterFactory[] ByteFilters { get; init; } = [];

    /// <summary>A byte filter in front of <c>cilium.network</c> says where the connection goes: the verdict waits for it.</summary>
    public bool JudgesAfterFilters { get; init; }

    /// <summary><c>tcp_proxy</c>.</summary>
    public TcpProxySnapshot? Tcp { get; init; }
}

/// <summary>A compiled tcp_proxy.</summary>
/// <param name="ClusterName">For messages.</param>
/// <param name="Cluster">The cluster in force now, or null.</param>
/// <param name="IdleTimeout">Null for none.</param>
/// <param name="MaxDuration">Of the client's connection; null for none.</param>
internal sealed record TcpProxySnapshot(string ClusterName, Func<ClusterSnapshot?> Cluster, TimeSpan? IdleTimeout, TimeSpan? MaxDuration = null)
{
    /// <summary>By stat_prefix.</summary>
    public TcpStats Stats { get; init; } = TcpStats.Unlisted();
}
