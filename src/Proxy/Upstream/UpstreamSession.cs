using System;
using System.Collections.Generic;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Postern.Filters;
using Postern.Proxy.Errors;
using Postern.Proxy.Http;
using Postern.Proxy.Http2;
using Postern.Proxy.Transport;

namespace Postern.Proxy.Upstream;

/// <summary>
/// The upstream side of one client connection: connections that nobody else's requests go through (with the client's address kept, sharing one would let a client's bytes
/// reach a server under another's name). One that stays good, in its cluster and under the same identities is used again. Requests of one client may be served
/// at the same time (HTTP/2): then those that go by HTTP/2 share a connection, the others get one each.
/// </summary>
internal sealed class UpstreamSession(IUpstreamConnector connector, IPEndPoint originalDestination, bool sawHttp1 = false) : IDisposable
{
    // sawHttp1: the client began with HTTP/1.1 and changed by an upgrade, so nothing says that its server knows more.
    private const int MostKept = 100; // at rest, of one client
    private const int MostShared = 16; // of HTTP/2, at a time

    private readonly Lock gate = new();
    private Http1UpstreamConnection? kept; // the latest at rest: the only one, while the client has one request at a time
    private List<Http1UpstreamConnection>? others;
    private List<Http2UpstreamConnection>? shared;
    private SemaphoreSlim? sharing; // one makes a connection that others then share
    private SharedFailure? lastFailure; // written by whoever has the turn
    private bool disposed;

    /// <summary>Where the client wanted to go.</summary>
    public IPEndPoint OriginalDestination => originalDestination;

    /// <summary>A way for a request, by a connection that is there if there is one.</summary>
    /// <param name="stream">The request; its failure ends the attempt.</param>
    /// <param name="cluster">Where it goes.</param>
    /// <param name="metadata">In whose name; other identities than before get a connection of their own, for its mark carries them.</param>
    /// <param name="fresh">Not by a kept one: that was just tried.</param>
    public ValueTask<(ServerStream? Server, ProxyError Error)> OpenAsync(ClientStream stream, ClusterSnapshot cluster, ConnectionMetadata? metadata, bool fresh)
    {
        var purpose = ConnectPurpose.Of(cluster.Config, stream.Head, sawHttp1);
        if (purpose.PrefersHttp2)
        {
            return ShareAsync(stream, cluster, metadata, purpose, fresh);
        }
        return !fresh && TakeKept(cluster, metadata, purpose) is { } found
            ? new((found, ProxyError.None))
            : ConnectAsync(stream, cluster, metadata, purpose);
    }

    /// <summary>Closes what is at rest. From the sweeper's thread.</summary>
    public void CloseIdle()
    {
        lock (gate)
        {
            Interlocked.Exchange(ref kept, null)?.Close();
            foreach (var connection in others ?? [])
            {
                connection.Close();
            }
            others = null;
            foreach (var connection in shared ?? [])
            {
                connection.CloseIdle();
            }
        }
    }

    /// <summary>Looks at the times of shared connections, and closes what has been at rest for its cluster's <c>idle_timeout</c>. From the sweeper's thread.</summary>
    public void Sweep(long now)
    {
        if (kept is null && shared is null)
        {
            return;
        }
        lock (gate)
        {
            foreach (var connection in shared ?? [])
            {
                connection.Sweep(now);
            }
            others?.RemoveAll(connection => CloseRested(connection, now));
            // Whoever takes it meanwhile has it: then it is not there to be closed.
            if (kept is { } latest && latest.HasRestedTooLong(now) && Interlocked.CompareExchange(ref kept, null, latest) == latest)
            {
                latest.Close();
                PromoteOther();
            }
        }
    }

    /// <summary>The client is gone.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
        }
        CloseIdle();
        lock (gate)
        {
            foreach (var connection in shared ?? [])
            {
                if (!connection.IsIdleNow)
                {
                    connection.Dispose(); // requests of a client that is gone
                }
            }
        }
    }

    /// <summary>An exchange ended well: the connection rests.</summary>
    internal void Keep(Http1UpstreamConnection connection)
    {
        lock (gate)
        {
            if (disposed || (others is not null && others.Count >= MostKept))
            {
                connection.Close();
                return;
            }
            if (Interlocked.Exchange(ref kept, connection) is { } before)
            {
                (others ??= []).Add(before);
            }
        }
    }

    private async ValueTask<(ServerStream? Server, ProxyError Error)> ConnectAsync(ClientStream stream, ClusterSnapshot cluster, ConnectionMetadata? metadata, ConnectPurpose purpose)
    {
        var destination = cluster.Pick(originalDestination);
        if (destination is null)
        {
            cluster.Stats.NoneHealthy.Increment();
            return (null, new ProxyError(ErrorCode.NoHealthyEndpoint, cluster.NoEndpointDetail));
        }
        var token = stream.BeginConnecting();
        var (channel, error) = await connector.ConnectAsync(cluster, destination, metadata, purpose, token).ConfigureAwait(false);
        stream.EndConnecting();
        if (channel is null)
        {
            return (null, stream.Failure.IsError ? stream.Failure : error);
        }
        if (!SpeaksHttp2(channel, purpose))
        {
            return (new Http1UpstreamConnection(channel, cluster, destination, metadata, purpose, this), ProxyError.None);
        }
        var connection = new Http2UpstreamConnection(channel, cluster, destination, cluster.Http2) { OpenedFor = metadata, OpenedWith = purpose };
        Share(connection);
        return await connection.OpenStreamAsync(stream.Head.UpgradeProtocol.Length > 0).ConfigureAwait(false);
    }

    // Over TLS the server has chosen; one that chose nothing knows no ALPN, and so no HTTP/2 unless it was written to be spoken to so.
    private static bool SpeaksHttp2(TransportChannel channel, ConnectPurpose purpose) =>
        channel.IsTls && channel.ApplicationProtocol.Length + purpose.Alpn.IndexOf(',') >= 0 ? channel.ApplicationProtocol == "h2" : purpose.PrefersHttp2;

    private async ValueTask<(ServerStream? Server, ProxyError Error)> ShareAsync(ClientStream stream, ClusterSnapshot cluster, ConnectionMetadata? metadata, ConnectPurpose purpose, bool fresh)
    {
        if (FindShared(cluster, metadata, purpose) is { } ready)
        {
            var (opened, error) = await ready.OpenStreamAsync(stream.Head.UpgradeProtocol.Length > 0).ConfigureAwait(false);
            if (opened is not null)
            {
                return (opened, error);
            }
        }
        if (!fresh && TakeKept(cluster, metadata, purpose) is { } found)
        {
            return (found, ProxyError.None);
        }
        // The first of many requests makes the connection; the others wait for it, and share its failure, too: one after the other would wait for ever.
        var turn = LazyInitializer.EnsureInitialized(ref sharing, static () => new SemaphoreSlim(1))!;
        var since = Environment.TickCount64;
        if (!turn.Wait(0))
        {
            try
            {
                await turn.WaitAsync(stream.BeginConnecting()).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return (null, stream.Failure);
            }
            finally
            {
                stream.EndConnecting();
            }
        }
        try
        {
            if (lastFailure is { } failure && failure.At >= since && ReferenceEquals(failure.Cluster, cluster) && failure.Purpose == purpose)
            {
                return (null, failure.Error);
            }
            if (FindShared(cluster, metadata, purpose) is { } made)
            {
                var (opened, error) = await made.OpenStreamAsync(stream.Head.UpgradeProtocol.Length > 0).ConfigureAwait(false);
                if (opened is not null)
                {
                    return (opened, error);
                }
            }
            var connected = await ConnectAsync(stream, cluster, metadata, purpose).ConfigureAwait(false);
            // What only this request suffered says nothing to the others.
            lastFailure = connected.Server is null && !stream.Failure.IsError ? new SharedFailure(cluster, purpose, Environment.TickCount64, connected.Error) : null;
            return connected;
        }
        finally
        {
            turn.Release();
        }
    }

    private Http2UpstreamConnection? FindShared(ClusterSnapshot cluster, ConnectionMetadata? metadata, ConnectPurpose purpose)
    {
        if (shared is null)
        {
            return null;
        }
        lock (gate)
        {
            shared.RemoveAll(static connection => !connection.IsReusable);
            foreach (var connection in shared)
            {
                if (ReferenceEquals(connection.Cluster, cluster) && ReferenceEquals(connection.OpenedFor, metadata) && connection.OpenedWith == purpose
                    && connection.HasCapacity && connection.IsStillWanted())
                {
                    return connection;
                }
            }
            return null;
        }
    }

    private void Share(Http2UpstreamConnection connection)
    {
        lock (gate)
        {
            if (disposed)
            {
                connection.Dispose();
                return;
            }
            shared ??= [];
            if (shared.Count >= MostShared)
            {
                shared[0].CloseIdle(); // goes when its requests are over
                shared.RemoveAt(0);
            }
            shared.Add(connection);
        }
    }

    private Http1UpstreamConnection? TakeKept(ClusterSnapshot cluster, ConnectionMetadata? metadata, ConnectPurpose purpose)
    {
        while (Interlocked.Exchange(ref kept, null) is { } connection)
        {
            PromoteOther();
            if (connection.Fits(cluster, metadata, purpose))
            {
                return connection;
            }
            connection.Close();
        }
        return null;
    }

    private static bool CloseRested(Http1UpstreamConnection connection, long now)
    {
        if (!connection.HasRestedTooLong(now))
        {
            return false;
        }
        connection.Close();
        return true;
    }

    private void PromoteOther()
    {
        if (others is null)
        {
            return;
        }
        lock (gate)
        {
            if (others is { Count: > 0 } && kept is null)
            {
                kept = others[^1];
                others.RemoveAt(others.Count - 1);
            }
        }
    }

    /// <summary>An attempt that came to nothing.</summary>
    private sealed record SharedFailure(ClusterSnapshot Cluster, ConnectPurpose Purpose, long At, ProxyError Error);
}
