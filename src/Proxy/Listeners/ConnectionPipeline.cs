using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Postern.Filters;
using Postern.Filters.Network;
using Postern.Policy;
using Postern.Proxy.Errors;
using Postern.Proxy.Http;
using Postern.Proxy.Tcp;
using Postern.Proxy.Tls;
using Postern.Proxy.Transport;
using Postern.Proxy.Upstream;
using Postern.Records;
using Postern.Tproxy;

namespace Postern.Proxy.Listeners;

/// <summary>
/// The life of a connection, from accept to the filter that ends its chain:
/// <code>
/// accept ─► 1 socket options ─► 2 original destination ─► 3 inspectors (peek) ─► 4 identity ─► 5 filter chain ─► 6 cilium.network ─► 7 TLS ─► 8 http | tcp
/// </code>
/// A failure at any arrow closes the connection with a reset and leaves one record that says why; nothing falls through.
/// </summary>
internal sealed partial class ConnectionPipeline(HttpEngine engine, IUpstreamConnector connector, ILogger logger, DeniedConnections denied = DeniedConnections.Cut)
{
    private static long nextId;

    private readonly ServerHandshakes handshakes = new();

    /// <summary>Serves one accepted socket, which is in the registry; owns it.</summary>
    public async Task ServeAsync(EarlyConnection early, ListenerSnapshot listener, IPEndPoint bound, ConnectionRegistry registry)
    {
        var socket = early.Socket;
        try
        {
            // 1.
            if (AcceptedSocket.Prepare(socket) != SocketError.Success)
            {
                socket.Dispose();
                return;
            }
            // 2.
            var source = Normalise((IPEndPoint)socket.RemoteEndPoint!);
            var destination = listener.OriginalDst ? OriginalDestination.Of(socket, bound) : OriginalDestination.Of(socket);
            // 3.
            using var sniffer = new Sniffer(listener.InspectTls, listener.InspectHttp, listener.MaxInspectBytes);
            var sniffed = await sniffer.RunAsync(socket, listener.Config.ListenerFiltersTimeout, early).ConfigureAwait(false);
            if (sniffed == SniffResult.Closed)
            {
                socket.Dispose();
                return;
            }
            // 4.
            var metadata = listener.Metadata?.Resolve(source, destination, sniffer.Hello?.ServerName ?? "");
            var connection = new Accepted(socket, listener, registry, metadata, source, destination, null);
            if (Refusal(sniffed, listener) is { } refusal)
            {
                registry.Stats.FilterErrors.Increment();
                Refuse(connection, listener.Sink, refusal.Reason, refusal.Detail, "");
                return;
            }
            // 5.
            var traits = new ConnectionTraits(source, destination, sniffer.Hello?.ServerName ?? "", sniffer.TransportProtocol, sniffer.ApplicationProtocols);
            var chain = listener.Chains.Match(traits);
            if (chain is null)
            {
                registry.Stats.NoFilterChainMatch.Increment();
                Refuse(connection, listener.Sink, "no_filter_chain_match", $"no filter chain of listener {listener.Name} matches ({traits.TransportProtocol}, server name \"{traits.ServerName}\"); add a default_filter_chain to catch the rest", "");
                return;
            }
            // 6.
            var inForce = metadata?.Policy.Current;
            if (chain.JudgesConnection && !chain.JudgesAfterFilters)
            {
                var opaque = chain.Http is null;
                // A client that was not seen to speak TLS has nothing to terminate. The upstream's leg is its cluster's to keep.
                var stance = new TlsStance(chain.Tls is not null || sniffer.Hello is null, Upstream: true);
                metadata = inForce is null ? null : metadata!.Under(inForce);
                // A load balancer's: judged when the endpoint is known, by l7policy or before the relay connects.
                var (verdict, side) = metadata?.L7Lb is not null ? L7LbPolicy.Admit(metadata, opaque) : CiliumNetwork.JudgeSides(metadata, opaque, inForce?.Policies, stance);
                if (!verdict.IsAllowed)
                {
                    registry.Stats.OnDenied();
                    Refuse(connection with { Metadata = side }, chain.Sink, RecordVerdict.NameOf(verdict.Reason), RefusalText.Explain(side, verdict, opaque), verdict.RuleName);
                    return;
                }
                var wanted = CiliumNetwork.WantedTls(metadata!, CiliumNetwork.PortOf(metadata!, inForce!.Policies));
                metadata = metadata! with { Tls = new TlsStance(chain.Tls?.Slot is not null || sniffer.Hello is null || wanted.Downstream, wanted.Upstream) };
                connection = connection with
                {
                    Metadata = metadata,
                    Verdict = denied == DeniedConnections.Keep ? null : new OpenVerdict(metadata, opaque, inForce, chain.Sink, listener.Name, registry.Stats),
                };
            }
            if (!early.TryKeep())
            {
                socket.Dispose();
                return;
            }
            // 7.
            var (channel, first) = await SecureAsync(connection, chain, inForce, sniffer).ConfigureAwait(false);
            if (channel is null)
            {
                return;
            }
            // 8.
            if (chain.Http is { } http)
            {
                var preloaded = first.ToArray(); // the sniffer's buffer goes back now, not with the connection
                sniffer.Dispose();
                await ServeHttpAsync(connection, http, channel, preloaded, early).ConfigureAwait(false);
            }
            else
            {
                await RelayAsync(connection, chain, channel, first).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            socket.Dispose(); // the peer went away while it was looked at
        }
#pragma warning disable CA1031 // One connection's bug must not take the accept loop down; it is logged and the connection cut.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogBug(logger, e, listener.Name);
            new SocketControl(socket).Reset();
        }
        finally
        {
            registry.Remove(early);
            registry.Leave(early.Source);
        }
    }

    private static (string Reason, string Detail)? Refusal(SniffResult sniffed, ListenerSnapshot listener) => sniffed switch
    {
        SniffResult.Malformed => ("malformed_first_bytes", $"the first bytes look like TLS but are malformed, or a hello is longer than {listener.MaxInspectBytes} bytes"),
        SniffResult.TimedOut when !listener.Config.ContinueOnListenerFiltersTimeout =>
            ("listener_filters_timeout", $"the client sent too little within listener_filters_timeout {listener.Config.ListenerFiltersTimeout.TotalSeconds} s; for protocols where the server speaks first set continue_on_listener_filters_timeout"),
        _ => null,
    };

    // The channel and what was read ahead of it; null when the client was refused.
    private async ValueTask<(TransportChannel? Channel, ReadOnlyMemory<byte> First)> SecureAsync(Accepted accepted, ChainSnapshot chain, PolicyState? inForce, Sniffer sniffer)
    {
        if (chain.Tls is not { } tls)
        {
            return (TransportChannel.Plain(accepted.Socket), sniffer.Memory);
        }
        var rules = inForce is null ? null : CiliumNetwork.PortOf(accepted.Metadata!, inForce.Policies);
        var (context, refusal) = tls.Choose(chain.Name, accepted.Metadata, rules);
        if (refusal is not null)
        {
            (tls.ByPolicy?.Missing ?? accepted.Registry.Stats.TlsSecretsNotReady).Increment();
            Refuse(accepted, chain.Sink, refusal.Reason, refusal.Detail, refusal.Rule);
            return default;
        }
        if (context is null)
        {
            return (TransportChannel.Plain(accepted.Socket), sniffer.Memory);
        }
        var (channel, problem) = await handshakes.AcceptAsync(
            accepted.Socket, sniffer.Bytes.ToArray(), context, sniffer.Hello?.ServerName, tls.Timeout, accepted.Registry.Stats.Tls).ConfigureAwait(false);
        if (channel is null)
        {
            Refuse(accepted, chain.Sink, "tls_handshake_failed", $"TLS handshake with the client failed: {problem}", "");
        }
        return (channel, default);
    }

    private async Task ServeHttpAsync(Accepted accepted, HttpListenerSnapshot http, TransportChannel channel, ReadOnlyMemory<byte> first, EarlyConnection early)
    {
        var parts = new HttpConnectionParts(
            NextId(), channel, first, http, accepted.Metadata, accepted.Source, accepted.Destination, connector, accepted.Registry, accepted.Verdict);
        var connection = engine.Begin(parts);
        accepted.Registry.Remove(early); // only now: whoever drains or reviews must find the one or the other
        await engine.RunAsync(connection, parts).ConfigureAwait(false);
    }

    private async Task RelayAsync(Accepted accepted, ChainSnapshot chain, TransportChannel downstream, ReadOnlyMemory<byte> first)
    {
        if (chain.ByteFilters.Length > 0)
        {
            if (accepted.Metadata?.L7Lb is not null)
            {
                Refuse(accepted, chain.Sink, RecordVerdict.NameOf(PolicyReason.NoPolicyForEndpoint), "a load balancer's listener (is_l7lb) judges endpoints, which chains with byte filters do not know in time; take the filters out", "");
                return;
            }
            var parts = new FilteredTcpParts(
                accepted.Listener, chain, accepted.Registry, accepted.Metadata, accepted.Source, accepted.Destination, accepted.Verdict, connector, denied != DeniedConnections.Keep);
            await new FilteredTcp(parts).RunAsync(downstream, first.ToArray()).ConfigureAwait(false);
            return;
        }
        var tcp = chain.Tcp!;
        var cluster = tcp.Cluster();
        if (cluster is null)
        {
            RefuseUpstream(accepted, chain, new ProxyError(ErrorCode.NoCluster, $"cluster {tcp.ClusterName} is unknown; was it removed by CDS?"));
            return;
        }
        var destination = cluster.Pick(accepted.Destination);
        if (destination is null)
        {
            cluster.Stats.NoneHealthy.Increment();
            RefuseUpstream(accepted, chain, new ProxyError(ErrorCode.NoHealthyEndpoint, cluster.NoEndpointDetail));
            return;
        }
        if (accepted.Metadata?.L7Lb is not null && !MayGoTo(accepted, chain, destination))
        {
            return;
        }
        if (!cluster.TryEnterConnection())
        {
            RefuseUpstream(accepted, chain, new ProxyError(ErrorCode.UpstreamOverflow, $"cluster {cluster.Name} has circuit_breakers max_connections {cluster.Config.CircuitBreakers.MaxConnections} open"));
            return;
        }
        try
        {
            await RelayAsync(accepted, chain, downstream, first, cluster, destination).ConfigureAwait(false);
        }
        finally
        {
            cluster.LeaveConnection();
        }
    }

    private async Task RelayAsync(
        Accepted accepted, ChainSnapshot chain, TransportChannel downstream, ReadOnlyMemory<byte> first, ClusterSnapshot cluster, EndPoint destination)
    {
        var tcp = chain.Tcp!;
        var (upstream, error) = await connector.ConnectAsync(cluster, destination, accepted.Metadata, ConnectPurpose.Opaque, CancellationToken.None).ConfigureAwait(false);
        if (upstream is null)
        {
            RefuseUpstream(accepted, chain, error);
            return;
        }
        var relay = new TcpRelay(downstream, upstream, tcp.IdleTimeout, accepted.Registry, accepted.Verdict) { MaxDuration = tcp.MaxDuration, DownstreamFlow = tcp.Stats.Flow, UpstreamFlow = cluster.Stats.Flow };
        tcp.Stats.ConnectionsTotal.Increment();
        cluster.Stats.ConnectionsActive.Increment();
        try
        {
            await relay.RunAsync(first).ConfigureAwait(false);
        }
        finally
        {
            cluster.Stats.ConnectionsActive.Decrement();
        }
    }

    // cilium.network of a load balancer's connection. Allowed by an Ingress policy it leaves a record, as upstream.
    private static bool MayGoTo(Accepted accepted, ChainSnapshot chain, EndPoint endpoint)
    {
        accepted.Verdict?.Enter(endpoint); // before the verdict: whatever changes after it is reviewed
        var metadata = accepted.Metadata!;
        var inForce = metadata.Policy.Current;
        metadata = metadata.Under(inForce);
        if (endpoint is not IPEndPoint address)
        {
            accepted.Registry.Stats.OnDenied();
            Refuse(accepted, chain.Sink, RecordVerdict.NameOf(PolicyReason.NoPolicyForEndpoint), $"the endpoint {endpoint} has no address, so no identity that policy could name", "");
            return false;
        }
        var (verdict, side) = L7LbPolicy.Judge(metadata, address, opaque: true, inForce);
        var recorded = L7LbPolicy.Towards(metadata, address, inForce.Hosts) with { PodAddress = side!.PodAddress };
        var reason = RecordVerdict.NameOf(verdict.Reason);
        if (!verdict.IsAllowed)
        {
            accepted.Registry.Stats.OnDenied();
            Refuse(accepted with { Metadata = recorded, Destination = address }, chain.Sink, reason, RefusalText.Explain(side, verdict, opaque: true), verdict.RuleName);
        }
        else if (metadata.L7Lb!.IngressPolicyName.Length > 0)
        {
            chain.Sink.Write(ConnectionRecord.Of(recorded, accepted.Listener.Name, EntryType.Request, reason, inForce.Note, verdict.RuleName));
        }
        return verdict.IsAllowed;
    }

    private static void RefuseUpstream(Accepted accepted, ChainSnapshot chain, ProxyError error) =>
        Write(accepted, chain.Sink, error.Code == ErrorCode.TlsContextRequired ? EntryType.Denied : EntryType.Request, ErrorTable.Of(error.Code).Label, error.Detail, "");

    private static void Refuse(Accepted accepted, IRecordSink sink, string reason, string detail, string rule) =>
        Write(accepted, sink, EntryType.Denied, reason, detail, rule);

    private static void Write(Accepted accepted, IRecordSink sink, EntryType type, string reason, string detail, string rule)
    {
        var record = ConnectionRecord.Of(accepted.Metadata, accepted.Listener.Name, type, reason, detail, rule);
        record.SourceAddress = accepted.Source.ToString();
        record.DestinationAddress = accepted.Destination.ToString();
        sink.Write(record);
        new SocketControl(accepted.Socket).Reset();
    }

    private static IPEndPoint Normalise(IPEndPoint endpoint) =>
        endpoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endpoint.Address.MapToIPv4(), endpoint.Port) : endpoint;

    private static string NextId() => Interlocked.Increment(ref nextId).ToString("x8");

    [LoggerMessage(10, LogLevel.Error, "listener {Listener}: a connection failed with an unexpected exception and was reset")]
    private static partial void LogBug(ILogger logger, Exception exception, string listener);

    private readonly record struct Accepted(
        Socket Socket, ListenerSnapshot Listener, ConnectionRegistry Registry, ConnectionMetadata? Metadata, IPEndPoint Source, IPEndPoint Destination, OpenVerdict? Verdict);
}
