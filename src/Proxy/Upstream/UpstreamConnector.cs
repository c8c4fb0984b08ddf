using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Postern.Filters;
using Postern.Policy;
using Postern.Proxy.Errors;
using Postern.Proxy.Tls;
using Postern.Proxy.Transport;
using Postern.Tproxy;

namespace Postern.Proxy.Upstream;

/// <summary>Opens upstream connections: bound to the client's address where the listener keeps it, marked so that steering leaves them alone.</summary>
internal interface IUpstreamConnector
{
    /// <summary>Connects; never throws but for bugs.</summary>
    ValueTask<(TransportChannel? Channel, ProxyError Error)> ConnectAsync(
        ClusterSnapshot cluster, EndPoint destination, ConnectionMetadata? metadata, ConnectPurpose purpose, CancellationToken cancellationToken);
}

/// <inheritdoc cref="IUpstreamConnector"/>
internal sealed class UpstreamConnector : IUpstreamConnector
{
    private volatile LoopGuard guard = new([], []);

    /// <summary>The listening addresses of this process, so that it never connects to itself.</summary>
    public void SetListeners(LoopGuard listeners) => guard = listeners;

    public async ValueTask<(TransportChannel? Channel, ProxyError Error)> ConnectAsync(
        ClusterSnapshot cluster, EndPoint destination, ConnectionMetadata? metadata, ConnectPurpose purpose, CancellationToken cancellationToken)
    {
        if (destination is IPEndPoint address && guard.Connecting(address) != LoopVerdict.Clear)
        {
            return (null, new ProxyError(ErrorCode.UpstreamLoop, $"{destination} is this proxy's own listener: the connection was not steered here, or the cluster points back at the proxy"));
        }
        var (tls, refusal) = cluster.Tls.Choose(cluster, metadata, destination);
        if (refusal.IsError)
        {
            return (null, refusal);
        }
        var (name, check) = tls is null ? ("", NameCheck.Configured) : UpstreamTls.Name(cluster, metadata, purpose, tls);
        if (UpstreamTls.Unnamed(name, check) is { } unnamed)
        {
            return (null, new ProxyError(ErrorCode.UpstreamTls, unnamed));
        }
        Socket socket;
        try
        {
            // A Unix socket has no source address to keep and no mark to steer by.
            socket = destination is IPEndPoint ip
                ? UpstreamSocket.Create(Spec(ip, metadata))
                : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        }
        catch (TproxyException e)
        {
            return (null, new ProxyError(ErrorCode.UpstreamSocket, e.Message));
        }
        cluster.Stats.ConnectionsTotal.Increment();
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(cluster.ConnectTimeout);
        var error = await ConnectAsync(socket, destination, cluster, timeout.Token, cancellationToken).ConfigureAwait(false);
        if (!error.IsError)
        {
            var plain = TransportChannel.Plain(socket);
            if (tls is null)
            {
                return (plain, ProxyError.None);
            }
            (var channel, error) = await UpstreamTls.ConnectAsync(plain, tls.For(name, purpose.Alpn, check), cluster, timeout.Token, cancellationToken).ConfigureAwait(false);
            if (channel is not null)
            {
                return (channel, error);
            }
        }
        if (error.Code != ErrorCode.DownstreamReset)
        {
            cluster.Stats.ConnectFailures.Increment();
        }
        if (error.Code == ErrorCode.UpstreamConnectTimeout)
        {
            cluster.Stats.ConnectTimeouts.Increment();
        }
        socket.Dispose();
        return (null, error);
    }

    private static UpstreamSpec Spec(IPEndPoint destination, ConnectionMetadata? metadata)
    {
        if (metadata is null || !metadata.MarksUpstream)
        {
            return new UpstreamSpec(destination);
        }
        var source = metadata.UpstreamSourceTowards(destination.Address);
        return new UpstreamSpec(destination)
        {
            Source = source,
            Mark = MarkOf(metadata),
            LingerSeconds = source is null ? null : (int?)metadata.UpstreamLingerSeconds,
        };
    }

    /// <summary>SO_MARK of an upstream socket: whose traffic it is, for the datapath.</summary>
    public static uint MarkOf(ConnectionMetadata metadata)
    {
        if (metadata.L7Lb?.EndpointId is { } endpoint)
        {
            return ProxyMark.ForEndpoint(endpoint);
        }
        var direction = metadata.Direction == TrafficDirection.Ingress ? ProxyDirection.Ingress : ProxyDirection.Egress;
        // An identity above 24 bits (a CIDR of this node) does not fit; cut off it could read as a reserved one, so it goes as world.
        return ProxyMark.For(direction, ProxyMark.Carries(metadata.SourceIdentity) ? metadata.SourceIdentity : Identities.World);
    }

    private static async ValueTask<ProxyError> ConnectAsync(Socket socket, EndPoint destination, ClusterSnapshot cluster, CancellationToken timeout, CancellationToken cancellationToken)
    {
        try
        {
            await socket.ConnectAsync(destination, timeout).ConfigureAwait(false);
            return ProxyError.None;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return new ProxyError(ErrorCode.DownstreamReset, "the client went away while the upstream was being connected");
        }
        catch (OperationCanceledException)
        {
            return new ProxyError(ErrorCode.UpstreamConnectTimeout, $"{destination} did not answer within connect_timeout {cluster.ConnectTimeout.TotalSeconds} s of cluster {cluster.Name}");
        }
        catch (SocketException e)
        {
            var code = e.SocketErrorCode switch
            {
                SocketError.ConnectionRefused => ErrorCode.UpstreamConnectRefused,
                SocketError.TimedOut => ErrorCode.UpstreamConnectTimeout,
                SocketError.AddressNotAvailable or SocketError.AddressAlreadyInUse => ErrorCode.UpstreamSocket,
                _ => ErrorCode.UpstreamUnreachable,
            };
            return new ProxyError(code, $"connect to {destination} failed: {e.SocketErrorCode}");
        }
    }
}
