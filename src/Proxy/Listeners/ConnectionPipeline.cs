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
using Postern.Proxy.Transport;
using Postern.Proxy.Upstream;
using Postern.Records;
using Postern.Tproxy;

namespace Postern.Proxy.Listeners;

/// <summary>
/// The life of a connection, from accept to the filter that ends its chain:
/// <code>
/// accept ─► 1 socket options ─► 2 original destination ─► 3 inspectors (peek) ─► 4 identity ─► 5 filter chain ─► 6 cilium.network ─► 7 http | tcp
/// </code>
/// A failure at any arrow closes the connection with a reset and leaves one record that says why; nothing falls through.
/// </summary>
internal sealed partial class ConnectionPipeline(HttpEngine engine, IUpstreamConnector connector, ILogger logger, DeniedConnections denied = DeniedConnections.Cut)
{
    private static long nextId;

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
            if (chain.JudgesConnection && !chain.JudgesAfterFilters)
            {
                var opaque = chain.Http is null;
                var inForce = metadata?.Policy.Current;
                metadata = inForce is null ? null : metadata!.Under(inForce.Hosts);
                var (verdict, side) = CiliumNetwork.JudgeSides(metadata, opaque, inForce?.Policies);
                if (!verdict.IsAllowed)
                {
                    registry.Stats.OnDenied();
                    Refuse(connection with { Metadata = side }, chain.Sink, RecordVerdict.NameOf(verdict.Reason), RefusalText.Explain(side, verdict, opaque), verdict.RuleName);
                    return;
                }
                connection = connection with
                {
                    Metadata = metadata,
                    Verdict = denied == DeniedConnections.Keep ? null : new OpenVerdict(metadata!, opaque, inForce!, chain.Sink, listener.Name, registry.Stats),
                };
            }
            // 7.
            if (!early.TryKeep())
            {
                socket.Dispose();
                return;
            }
            if (chain.Http is { } http)
            {
                await ServeHttpAsync(connection, http, sniffer, early).ConfigureAwait(false);
            }
            else
            {
                await RelayAsync(connection, chain, sniffer).ConfigureAwait(false);
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
            registry.Leave();
        }
    }

    private static (string Reason, string Detail)? Refusal(SniffResult sniffed, ListenerSnapshot listener) => sniffed switch
    {
        SniffResult.Malformed => ("malformed_first_bytes", $"the first bytes look like TLS but are malformed, or a hello is longer than {listener.MaxInspectBytes} bytes"),
        SniffResult.TimedOut when !listener.Config.ContinueOnListenerFiltersTimeout =>
            ("listener_filters_timeout", $"the client sent too little within listener_filters_timeout {listener.Config.ListenerFiltersTimeout.TotalSeconds} s; for protocols where the server speaks first set continue_on_listener_filters_timeout"),
        _ => null,
    };

    private async Task ServeHttpAsync(Accepted accepted, HttpListenerSnapshot http, Sniffer sniffer, EarlyConnection early)
    {
        var parts = new HttpConnectionParts(
            NextId(),
            new TransportChannel(new NetworkStream(accepted.Socket, ownsSocket: true), new SocketControl(accepted.Socket)),
            sniffer.Bytes.ToArray(),
            http,
            accepted.Metadata,
            accepted.Source,
            accepted.Destination,
            connector,
            accepted.Registry,
            accepted.Verdict);
        sniffer.Dispose();
        var connection = engine.Begin(parts);
        accepted.Registry.Remove(early); // only now: whoever drains or reviews must find the one or the other
        await HttpEngine.RunAsync(connection, parts).ConfigureAwait(false);
    }

    private async Task RelayAsync(Accepted accepted, ChainSnapshot chain, Sniffer sniffer)
    {
        if (chain.ByteFilters.Length > 0)
        {
            var parts = new FilteredTcpParts(
                accepted.Listener, chain, accepted.Registry, accepted.Metadata, accepted.Source, accepted.Destination, accepted.Verdict, connector, denied != DeniedConnections.Keep);
            await new FilteredTcp(parts).RunAsync(TransportChannel.Plain(accepted.Socket), sniffer.Bytes.ToArray()).ConfigureAwait(false);
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
        var (upstream, error) = await connector.ConnectAsync(cluster, destination, accepted.Metadata, ConnectPurpose.Opaque, CancellationToken.None).ConfigureAwait(false);
        if (upstream is null)
        {
            RefuseUpstream(accepted, chain, error);
            return;
        }
        var relay = new TcpRelay(TransportChannel.Plain(accepted.Socket), upstream, tcp.IdleTimeout, accepted.Registry, accepted.Verdict) { DownstreamFlow = tcp.Stats.Flow, UpstreamFlow = cluster.Stats.Flow };
        tcp.Stats.ConnectionsTotal.Increment();
        cluster.Stats.ConnectionsActive.Increment();
        try
        {
            await relay.RunAsync(sniffer.Bytes.ToArray()).ConfigureAwait(false);
        }
        finally
        {
            cluster.Stats.ConnectionsActive.Decrement();
        }
    }

    private static void RefuseUpstream(Accepted accepted, ChainSnapshot chain, ProxyError error) =>
        Write(accepted, chain.Sink, EntryType.Request, ErrorTable.Of(error.Code).Label, error.Detail, "");

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
