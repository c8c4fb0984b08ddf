using System;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Postern.Filters;
using Postern.Filters.Network;
using Postern.Filters.Network.Bytes;
using Postern.Proxy.Errors;
using Postern.Proxy.Http;
using Postern.Proxy.Tcp;
using Postern.Proxy.Transport;
using Postern.Proxy.Upstream;
using Postern.Records;

namespace Postern.Proxy.Listeners;

/// <summary>
/// A connection whose chain has byte filters in front of its tcp_proxy. Where a filter sends it elsewhere, the verdict is taken for that place, before anything is
/// connected to: a destination that a client names is worth no more than the rules for it.
/// </summary>
internal sealed class FilteredTcp(FilteredTcpParts parts)
{
    private ConnectionMetadata? metadata = parts.Metadata;
    private ByteFilterContext context = null!;

    /// <summary>Serves it to its end.</summary>
    /// <param name="downstream">The client.</param>
    /// <param name="first">Bytes that were peeked.</param>
    public Task RunAsync(TransportChannel downstream, ReadOnlyMemory<byte> first)
    {
        context = new ByteFilterContext
        {
            Metadata = metadata,
            Listener = parts.Listener.Name,
            Source = parts.Source,
            Destination = parts.Destination,
            UnixNanos = Clock.UnixNanos,
        };
        var tcp = parts.Chain.Tcp!;
        var relay = new FilterRelay(
            new FilterRelayParts
            {
                Chain = new ByteFilterChain(Array.ConvertAll(parts.Chain.ByteFilters, factory => factory.Create(context))),
                Downstream = downstream,
                ConnectAsync = ConnectAsync,
                Tell = verdict => Write(EntryType.Request, verdict.Reason, verdict.Detail, ""),
                Registry = parts.Registry,
                Stats = tcp.Stats,
                IdleTimeout = tcp.IdleTimeout,
            },
            parts.Verdict);
        return relay.RunAsync(first);
    }

    private async ValueTask<UpstreamLink?> ConnectAsync(FilterRelay relay)
    {
        var moved = !context.Destination.Equals(parts.Destination);
        if (moved)
        {
            metadata = parts.Listener.Metadata?.Resolve(parts.Source, context.Destination, metadata?.Sni ?? "");
        }
        if (parts.Chain.JudgesConnection && (moved || parts.Chain.JudgesAfterFilters) && !Judge(relay))
        {
            return null;
        }
        var tcp = parts.Chain.Tcp!;
        if (tcp.Cluster() is not { } cluster)
        {
            return Fail(new ProxyError(ErrorCode.NoCluster, $"cluster {tcp.ClusterName} is unknown; was it removed by CDS?"));
        }
        if (cluster.Pick(context.Destination) is not { } destination)
        {
            cluster.Stats.NoneHealthy.Increment();
            return Fail(new ProxyError(ErrorCode.NoHealthyEndpoint, cluster.NoEndpointDetail));
        }
        var (channel, error) = await parts.Connector.ConnectAsync(cluster, destination, metadata, ConnectPurpose.Opaque, CancellationToken.None).ConfigureAwait(false);
        return channel is null ? Fail(error) : new UpstreamLink(channel, cluster.Stats);
    }

    private bool Judge(FilterRelay relay)
    {
        var inForce = metadata?.Policy.Current;
        metadata = inForce is null ? null : metadata!.Under(inForce);
        var (verdict, side) = CiliumNetwork.JudgeSides(metadata, opaque: true, inForce?.Policies);
        if (!verdict.IsAllowed)
        {
            parts.Registry.Stats.OnDenied();
            metadata = side;
            Write(EntryType.Denied, RecordVerdict.NameOf(verdict.Reason), RefusalText.Explain(side, verdict, opaque: true), verdict.RuleName);
            return false;
        }
        relay.JudgedAnew(parts.FollowsPolicy ? new OpenVerdict(metadata!, opaque: true, inForce!, parts.Chain.Sink, parts.Listener.Name, parts.Registry.Stats) : null);
        return true;
    }

    private UpstreamLink? Fail(ProxyError error)
    {
        Write(EntryType.Request, ErrorTable.Of(error.Code).Label, error.Detail, "");
        return null;
    }

    private void Write(EntryType type, string reason, string detail, string rule)
    {
        var record = ConnectionRecord.Of(metadata, parts.Listener.Name, type, reason, detail, rule);
        record.SourceAddress = parts.Source.ToString();
        record.DestinationAddress = context.Destination.ToString();
        parts.Chain.Sink.Write(record);
    }
}

/// <summary>What a connection is when its filters begin.</summary>
/// <param name="FollowsPolicy">It is closed when policy comes to forbid it.</param>
internal sealed record FilteredTcpParts(
    ListenerSnapshot Listener,
    ChainSnapshot Chain,
    ConnectionRegistry Registry,
    ConnectionMetadata? Metadata,
    IPEndPoint Source,
    IPEndPoint Destination,
    OpenVerdict? Verdict,
    IUpstreamConnector Connector,
    bool FollowsPolicy);
