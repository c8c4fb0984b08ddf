using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Agent.AccessLog;

/// <summary>
/// The agent's end of the access log: takes one <c>cilium.LogEntry</c> per packet from any number of proxies. A bad packet is counted and passed
/// over; nothing a proxy sends closes the connection of another. Thread-safe.
/// </summary>
public sealed class AccessLogServer : IAsyncDisposable
{
    private readonly AccessLogServerOptions options;
    private readonly AccessLogTally tally;
    private readonly Socket listener;
    private readonly CancellationTokenSource stop = new();
    private readonly Lock gate = new();
    private readonly HashSet<Task> connections = [];                   // guarded by gate
    private AccessLogSubscription[] subscriptions = [];                // replaced under gate, read without
    private readonly Task accepting;

    private AccessLogServer(AccessLogServerOptions options, Socket listener)
    {
        this.options = options;
        this.listener = listener;
        tally = new AccessLogTally(options);
        accepting = AcceptAsync();
    }

    /// <summary>Listens and serves.</summary>
    /// <exception cref="IOException">Cannot listen; the message says why.</exception>
    public static AccessLogServer Start(AccessLogServerOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxMessageSize, 1024);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.MaxMessageSize, 65536);
        return new AccessLogServer(options, AccessLogSocket.Listen(options.Path));
    }

    /// <summary>Counters so far.</summary>
    public AccessLogCounters ReadCounters()
    {
        lock (gate)
        {
            return tally.Read(connections.Count);
        }
    }

    /// <summary>The last entries, oldest first.</summary>
    public IReadOnlyList<AccessLogEntry> ReadRecent(int most) => tally.ReadRecent(most);

    /// <summary>Follows the entries from now on.</summary>
    /// <param name="capacity">Entries that may wait to be read.</param>
    /// <exception cref="InvalidOperationException">There are too many.</exception>
    public AccessLogSubscription Subscribe(int capacity)
    {
        var subscription = new AccessLogSubscription(capacity, Leave);
        lock (gate)
        {
            if (subscriptions.Length >= options.MaxSubscriptions)
            {
                throw new InvalidOperationException($"{options.MaxSubscriptions} follow the access log already");
            }
            subscriptions = [.. subscriptions, subscription];
        }
        return subscription;
    }

    /// <summary>Closes all connections and removes the socket.</summary>
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync().ConfigureAwait(false);
        listener.Dispose();
        await accepting.ConfigureAwait(false);
        Task[] open;
        lock (gate)
        {
            open = [.. connections];
        }
        await Task.WhenAll(open).ConfigureAwait(false);
        foreach (var subscription in subscriptions)
        {
            subscription.Dispose();
        }
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                Take(await listener.AcceptAsync(stop.Token).ConfigureAwait(false));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                if (stop.IsCancellationRequested)
                {
                    return;
                }
                // Of one connection, or out of descriptors: those come back, and until then this must not spin.
                options.Log($"access log {options.Path}: a connection could not be accepted: {e.Message}");
                await Task.Delay(TimeSpan.FromMilliseconds(100), options.Time, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private void Take(Socket socket)
    {
        lock (gate)
        {
            if (connections.Count < options.MaxConnections)
            {
                var reading = ReadAsync(socket);
                connections.Add(reading);
                _ = ForgetAsync(reading);
                return;
            }
        }
        socket.Dispose();
        tally.AddRefused();
        options.Log($"access log {options.Path}: {options.MaxConnections} connections are open, another one is closed");
    }

    private async Task ForgetAsync(Task reading)
    {
        await reading.ConfigureAwait(false);
        lock (gate)
        {
            connections.Remove(reading);
        }
    }

    private async Task ReadAsync(Socket socket)
    {
        await Task.Yield(); // the caller holds the gate
        using var closing = socket;

        // One byte more than allowed: the kernel cuts what does not fit, and this shows that it did.
        var buffer = new byte[options.MaxMessageSize + 1];
        var complained = false;
        try
        {
            while (await socket.ReceiveAsync(buffer, stop.Token).ConfigureAwait(false) is > 0 and var size)
            {
                if (Read(buffer.AsSpan(0, size)) is { } problem && !complained)
                {
                    complained = true;
                    options.Log($"access log {options.Path}: {problem}; further bad packets of this connection are only counted");
                }
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The proxy went away, or this agent does.
        }
    }

    private string? Read(ReadOnlySpan<byte> packet)
    {
        if (packet.Length > options.MaxMessageSize)
        {
            tally.AddTooLong();
            return $"a packet longer than {options.MaxMessageSize} bytes is discarded; raise the size here, or lower max_message_size of the proxy";
        }
        if (!LogEntryReader.TryRead(packet, out var entry, out var problem))
        {
            tally.AddMalformed();
            return problem;
        }
        var received = new AccessLogEntry(options.Time.GetUtcNow(), entry);
        tally.Add(received);
        foreach (var subscription in Volatile.Read(ref subscriptions))
        {
            subscription.Offer(received);
        }
        return null;
    }

    private void Leave(AccessLogSubscription subscription)
    {
        lock (gate)
        {
            subscriptions = Array.FindAll(subscriptions, other => !ReferenceEquals(other, subscription));
        }
    }
}
