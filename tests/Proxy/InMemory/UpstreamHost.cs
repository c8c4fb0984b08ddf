using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Postern.Filters;
using Postern.Proxy.Errors;
using Postern.Proxy.Transport;
using Postern.Proxy.Upstream;

namespace Postern.Tests.Proxy.InMemory;

/// <summary>A server on loopback that says what the test says, reached through the real connector.</summary>
internal sealed class UpstreamHost : IUpstreamConnector, IDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly UpstreamConnector real = new();
    private int connects;

    public UpstreamHost()
    {
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        EndPoint = (IPEndPoint)listener.LocalEndPoint!;
    }

    /// <summary>Connections the proxy asked for.</summary>
    public int Connects => Volatile.Read(ref connects);

    /// <summary>Connections are not made, nor fail, before it is done.</summary>
    public TaskCompletionSource? Held { get; set; }

    /// <summary>Fails the next connections instead of making them.</summary>
    public ErrorCode Failure { get; set; }

    public IPEndPoint EndPoint { get; }

    public async ValueTask<(TransportChannel? Channel, ProxyError Error)> ConnectAsync(
        ClusterSnapshot cluster, EndPoint destination, ConnectionMetadata? metadata, ConnectPurpose purpose, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref connects);
        if (Held is { } held)
        {
            await held.Task.WaitAsync(cancellationToken);
        }
        return Failure == ErrorCode.None
            ? await real.ConnectAsync(cluster, EndPoint, metadata, purpose, cancellationToken)
            : (null, new ProxyError(Failure, "the test says so"));
    }

    public async Task<Socket> AcceptAsync(CancellationToken cancellationToken)
    {
        var socket = await listener.AcceptAsync(cancellationToken);
        socket.NoDelay = true;
        return socket;
    }

    /// <summary>Connections are refused by the kernel from now on.</summary>
    public void StopListening() => listener.Dispose();

    public void Dispose() => listener.Dispose();
}
