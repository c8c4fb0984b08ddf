using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Postern.Filters;
using Postern.Policy;
using Postern.Proxy.Stats;
using Postern.Records;
using Postern.Tproxy;
using Postern.Xds.Config;

namespace Postern.Proxy.Listeners;

/// <summary>
/// One listener that is in force: its sockets, accept loops and connections. Owned by the <see cref="ListenerManager"/>, changed under its lock; the
/// accept loops only read.
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
    private volatile Generation current = null!;

    private ListenerState(ConnectionPipeline pipeline, Admission admission, ILogger logger)
    {
        this.pipeline = pipeline;
        this.admission = admission;
        this.logger = logger;
    }

    public ListenerSnapshot Snapshot => current.Snapshot;

    /// <summary>Connections accepted under <see cref="Snapshot"/>.</summary>
    public ConnectionRegistry Registry => current.Registry;

    /// <summary>Under the first address; the manager releases the scope.</summary>
    public ListenerStats Stats => current.Registry.Stats;

    /// <summary>Where the sockets are bound, with the ports the kernel gave.</summary>
    public List<IPEndPoint> Bound { get; } = [];

    /// <summary>Binds all addresses or none.</summary>
    /// <exception cref="TproxyException">An address cannot be listened on.</exception>
    public static ListenerState Open(ListenerSnapshot snapshot, ConnectionPipeline pipeline, Admission admission, StatsRegistry stats, ILogger logger)
    {
        var state = new ListenerState(pipeline, admission, logger);
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
        state.current = new Generation(snapshot, new ConnectionRegistry(admission, ListenerStats.In(stats, state.Bound[0])));
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

    /// <summary>Whether a changed listener can go on with these sockets.</summary>
    public bool CanTake(ListenerSnapshot changed) =>
        changed.Config.Addresses.Equals(Snapshot.Config.Addresses)
        && changed.Config.Transparent == Snapshot.Config.Transparent
        && changed.Config.TcpBacklogSize == Snapshot.Config.TcpBacklogSize
        && Spec(changed, Bound[0]).Mark == Spec(Snapshot, Bound[0]).Mark;

    /// <summary>New connections are served under <paramref name="changed"/> from now on. Returns the registry of the others, to be drained.</summary>
    public ConnectionRegistry Take(ListenerSnapshot changed)
    {
        var old = current.Registry;
        current = new Generation(changed, new ConnectionRegistry(admission, Stats));
        return old;
    }

    /// <summary>Closes the listening sockets; connections live on.</summary>
    public void StopAccepting()
    {
        stopping = true;
        CloseSockets();
    }

    // SO_REUSEPORT is never set: one socket serves the listener, and sharing the port would let a second process take half of the connections unseen.
    private static ListenerSpec Spec(ListenerSnapshot snapshot, IPEndPoint address)
    {
        var config = snapshot.Config;
        var spec = new ListenerSpec(address) { Transparent = config.Transparent };
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
        var complaint = new OncePerSecond();
        while (!stopping)
        {
            while (admission.Overload.StopAcceptingConnections && !stopping)
            {
                await Task.Delay(AcceptPause).ConfigureAwait(false);
            }
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
                if (complaint.TryTake(Environment.TickCount64))
                {
                    LogAcceptFailed(logger, Snapshot.Name, e.SocketErrorCode);
                }
                await Task.Delay(AcceptPause).ConfigureAwait(false);
                continue;
            }
            var source = SourceOf(socket);
            var admitted = admission.TryEnter(source?.Address);
            if (admitted != Admitted.Yes)
            {
                Refuse(socket, source, admitted, bound, complaint.TryTake(Environment.TickCount64));
                continue;
            }
            Stats.OnConnection();
            var generation = current;
            var early = new EarlyConnection(socket, source?.Address);
            while (!generation.Registry.TryAccept(early) && !stopping)
            {
                generation = current; // the listener changed between the two lines
            }
            if (stopping)
            {
                generation.Registry.Remove(early);
                generation.Registry.Leave(source?.Address);
                early.AbortNow();
                return;
            }
            _ = pipeline.ServeAsync(early, generation.Snapshot, bound, generation.Registry);
        }
    }

    // The socket knows from its accept; it fails when the client is gone already.
    private static IPEndPoint? SourceOf(Socket socket)
    {
        try
        {
            return socket.RemoteEndPoint is not IPEndPoint source ? null
                : source.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(source.Address.MapToIPv4(), source.Port)
                : source;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private void Refuse(Socket socket, IPEndPoint? source, Admitted why, IPEndPoint bound, bool tell)
    {
        switch (why)
        {
            case Admitted.Overloaded:
                Stats.OverloadReject.Increment();
                break;
            case Admitted.TooManyOfSource:
                Stats.SourceOverflow.Increment();
                var record = ConnectionRecord.Of(null, Snapshot.Name, EntryType.Denied, "too_many_connections_of_source",
                    $"the source has {admission.MaxPerSource} connections open already; it leaks them, or raise --max-connections-per-source", "");
                record.SourceAddress = source?.ToString() ?? "";
                record.DestinationAddress = bound.ToString();
                Snapshot.Sink.Write(record);
                break;
            default:
                Stats.Overflow.Increment();
                break;
        }
        if (tell)
        {
            switch (why)
            {
                case Admitted.Overloaded:
                    LogOverloaded(logger, Snapshot.Name);
                    break;
                case Admitted.TooManyOfSource:
                    LogOverSourceLimit(logger, Snapshot.Name, source, admission.MaxPerSource);
                    break;
                default:
                    LogOverLimit(logger, Snapshot.Name, admission.MaxConnections);
                    break;
            }
        }
        new Transport.SocketControl(socket).Reset();
    }

    private void CloseSockets()
    {
        foreach (var socket in sockets)
        {
            socket.Dispose();
        }
    }

    private sealed record Generation(ListenerSnapshot Snapshot, ConnectionRegistry Registry);

    [LoggerMessage(20, LogLevel.Warning, "listener {Listener}: accept failed: {Error}")]
    private static partial void LogAcceptFailed(ILogger logger, string listener, SocketError error);

    [LoggerMessage(21, LogLevel.Warning, "listener {Listener}: connection refused, --max-connections {Limit} is reached")]
    private static partial void LogOverLimit(ILogger logger, string listener, int limit);

    [LoggerMessage(22, LogLevel.Warning, "listener {Listener}: connection of {Source} refused, it has --max-connections-per-source {Limit} open")]
    private static partial void LogOverSourceLimit(ILogger logger, string listener, IPEndPoint? source, int limit);

    [LoggerMessage(23, LogLevel.Warning, "listener {Listener}: connection refused, the process is overloaded; /stats has what is short (overload.*.pressure)")]
    private static partial void LogOverloaded(ILogger logger, string listener);
}
