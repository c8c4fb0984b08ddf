using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Postern.Filters;
using Postern.Policy;
using Postern.Tproxy;
using Postern.Xds.Config;

namespace Postern.Proxy.Listeners;

/// <summary>
/// One listener that is in force: its sockets, accept loops and connections. Owned by the <see cref="ListenerManager"/>'s thread; the accept
/// loops only read.
/// </summary>
internal sealed partial class ListenerState
{
    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(50);

    private readonly ConnectionPipeline pipeline;
    private readonly Admission admission;
    private readonly ILogger logger;
    private readonly List<Socket> sockets = [];
    private readonly List<Task> loops = [];
    private volatile bool stopping;

    private ListenerState(ListenerSnapshot snapshot, ConnectionPipeline pipeline, Admission admission, ILogger logger)
    {
        Snapshot = snapshot;
        this.pipeline = pipeline;
        this.admission = admission;
        Registry = new ConnectionRegistry(admission);
        this.logger = logger;
    }

    public ListenerSnapshot Snapshot { get; }

    /// <summary>Connections of this generation of the listener.</summary>
    public ConnectionRegistry Registry { get; }

    /// <summary>Where the sockets are bound, with the ports the kernel gave.</summary>
    public List<IPEndPoint> Bound { get; } = [];

    /// <summary>Binds all addresses or none.</summary>
    /// <exception cref="TproxyException">An address cannot be listened on.</exception>
    public static ListenerState Open(ListenerSnapshot snapshot, ConnectionPipeline pipeline, Admission admission, ILogger logger)
    {
        var state = new ListenerState(snapshot, pipeline, admission, logger);
        try
        {
            foreach (var address in snapshot.Config.Addresses)
            {
                var socket = TransparentListener.Listen(Spec(snapshot, address));
                state.sockets.Add(socket);
                state.Bound.Add((IPEndPoint)socket.LocalEndPoint!);
            }
        }
        catch
        {
            state.CloseSockets();
            throw;
        }
        return state;
    }

    /// <summary>Starts accepting.</summary>
    public void Start()
    {
        for (var i = 0; i < sockets.Count; i++)
        {
            loops.Add(AcceptAsync(sockets[i], Bound[i]));
        }
    }

    /// <summary>Stops accepting and asks connections to finish.</summary>
    public void BeginDrain()
    {
        stopping = true;
        CloseSockets();
        Registry.BeginDrain();
    }

    private static ListenerSpec Spec(ListenerSnapshot snapshot, IPEndPoint address)
    {
        var config = snapshot.Config;
        var spec = new ListenerSpec(address) { Transparent = config.Transparent, ReusePort = config.EnableReusePort };
        if (config.TcpBacklogSize > 0)
        {
            spec = spec with { Backlog = config.TcpBacklogSize };
        }
        if (snapshot.Metadata is { } metadata)
        {
            var direction = metadata.Direction == TrafficDirection.Ingress ? ProxyDirection.Ingress : ProxyDirection.Egress;
            spec = spec with { Mark = ProxyMark.Listener(direction) };
        }
        return spec;
    }

    private async Task AcceptAsync(Socket listener, IPEndPoint bound)
    {
        while (!stopping)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (e is ObjectDisposedException || stopping)
            {
                return;
            }
            catch (SocketException e)
            {
                // Out of file descriptors, or a connection that died in the queue: others go on. The pause keeps a full table from spinning.
                LogAcceptFailed(logger, Snapshot.Name, e.SocketErrorCode);
                await Task.Delay(AcceptPause).ConfigureAwait(false);
                continue;
            }
            if (!admission.TryEnter())
            {
                LogOverLimit(logger, Snapshot.Name, admission.MaxConnections);
                new Transport.SocketControl(socket).Reset();
                continue;
            }
            _ = pipeline.ServeAsync(socket, Snapshot, bound, Registry);
        }
    }

    private void CloseSockets()
    {
        foreach (var socket in sockets)
        {
            socket.Dispose();
        }
    }

    [LoggerMessage(20, LogLevel.Warning, "listener {Listener}: accept failed: {Error}")]
    private static partial void LogAcceptFailed(ILogger logger, string listener, SocketError error);

    [LoggerMessage(21, LogLevel.Warning, "listener {Listener}: connection refused, --max-connections {Limit} is reached")]
    private static partial void LogOverLimit(ILogger logger, string listener, int limit);
}
