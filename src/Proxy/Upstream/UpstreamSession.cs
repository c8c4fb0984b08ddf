using System;
using System.Collections.Generic;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Postern.Filters;
using Postern.Proxy.Errors;
using Postern.Proxy.Http;
using Postern.Proxy.Transport;

namespace Postern.Proxy.Upstream;

/// <summary>
/// The upstream side of one client connection: connections that nobody else's requests go through (with the client's address kept, sharing one would let a client's bytes
/// reach a server under another's name). One that stays good, in its cluster and under the same identities is used again. Requests of one client may be served
/// at the same time (HTTP/2).
/// </summary>
internal sealed class UpstreamSession(IUpstreamConnector connector, IPEndPoint originalDestination) : IDisposable
{
    private const int MostKept = 100; // at rest, of one client

    private readonly Lock gate = new();
    private Http1UpstreamConnection? kept; // the latest at rest: the only one, while the client has one request at a time
    private List<Http1UpstreamConnection>? others;
    private bool disposed;

    /// <summary>Where the client wanted to go.</summary>
    public IPEndPoint OriginalDestination => originalDestination;

    /// <summary>A connection for a request, a kept one if there is one.</summary>
    /// <param name="stream">The request; its failure ends the attempt.</param>
    /// <param name="cluster">Where it goes.</param>
    /// <param name="metadata">In whose name; other identities than before get a connection of their own, for its mark carries them.</param>
    /// <param name="fresh">Not a kept one: that was just tried.</param>
    public async ValueTask<(ServerStream? Server, ProxyError Error)> OpenAsync(ClientStream stream, ClusterSnapshot cluster, ConnectionMetadata? metadata, bool fresh)
    {
        if (!fresh && TakeKept(cluster, metadata) is { } found)
        {
            return (found, ProxyError.None);
        }
        var destination = cluster.Pick(originalDestination);
        if (destination is null)
        {
            cluster.Stats.NoneHealthy.Increment();
            return (null, new ProxyError(ErrorCode.NoHealthyEndpoint, cluster.NoEndpointDetail));
        }
        var token = stream.BeginConnecting();
        var (channel, error) = await connector.ConnectAsync(cluster, destination, metadata, ConnectPurpose.Opaque, token).ConfigureAwait(false);
        stream.EndConnecting();
        return channel is null
            ? (null, stream.Failure.IsError ? stream.Failure : error)
            : (new Http1UpstreamConnection(channel, cluster, destination, metadata, this), ProxyError.None);
    }

    /// <summary>Closes what is at rest. From the sweeper's thread.</summary>
    public void CloseIdle()
    {
        lock (gate)
        {
            Interlocked.Exchange(ref kept, null)?.Close();
            if (others is not null)
            {
                foreach (var connection in others)
                {
                    connection.Close();
                }
                others = null;
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

    private Http1UpstreamConnection? TakeKept(ClusterSnapshot cluster, ConnectionMetadata? metadata)
    {
        while (Interlocked.Exchange(ref kept, null) is { } connection)
        {
            PromoteOther();
            if (connection.Fits(cluster, metadata))
            {
                return connection;
            }
            connection.Close();
        }
        return null;
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
}
