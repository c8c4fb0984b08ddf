using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Threading;

namespace Postern.Agent.Envoy;

/// <summary>
/// Owned by the agent: the proxy ports of listeners by name. A name that the state file remembers gets its port back untested, for the proxy may
/// still listen on it; when the listener is refused nevertheless, release the port and acquire another. Thread-safe.
/// </summary>
public sealed class ProxyPorts
{
    private readonly ProxyPortsOptions options;
    private readonly Lock gate = new();
    private readonly SortedDictionary<string, ushort> byName;
    private readonly Dictionary<ushort, DateTimeOffset> resting = []; // released ports, until when

    /// <summary>Reads the state file.</summary>
    public ProxyPorts(ProxyPortsOptions options)
    {
        if (options.First == 0 || options.Last < options.First)
        {
            throw new ArgumentException($"the range of proxy ports is {options.First} to {options.Last}; write 1 to 65535, the smaller first");
        }
        this.options = options;
        byName = ProxyPortsFile.Read(options);
    }

    /// <summary>The port of that name: the same until it is released.</summary>
    /// <exception cref="IOException">No port of the range is free.</exception>
    public ushort Acquire(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        lock (gate)
        {
            if (!byName.TryGetValue(name, out var port))
            {
                byName.Add(name, port = Choose());
                ProxyPortsFile.Write(options, byName);
            }
            return port;
        }
    }

    /// <summary>Gives a port back. Only after steering to it was removed: whoever gets it next would be sent foreign traffic.</summary>
    public void Release(ushort port)
    {
        lock (gate)
        {
            foreach (var (name, held) in byName)
            {
                if (held == port)
                {
                    byName.Remove(name);
                    resting[port] = options.Time.GetUtcNow() + options.ReuseDelay;
                    ProxyPortsFile.Write(options, byName);
                    return;
                }
            }
        }
    }

    /// <summary>The port that the name has, or null.</summary>
    public ushort? Find(string name)
    {
        lock (gate)
        {
            return byName.TryGetValue(name, out var port) ? port : null;
        }
    }

    /// <summary>Ports by name.</summary>
    public IReadOnlyDictionary<string, ushort> Read()
    {
        lock (gate)
        {
            return new SortedDictionary<string, ushort>(byName, StringComparer.Ordinal);
        }
    }

    private ushort Choose()
    {
        // From a random start, so that an agent that forgot its state does not meet ports of connections that are still under way.
        var size = options.Last - options.First + 1;
        var start = RandomNumberGenerator.GetInt32(size);
        var now = options.Time.GetUtcNow();
        for (var i = 0; i < size; i++)
        {
            var port = (ushort)(options.First + ((start + i) % size));
            if (!byName.ContainsValue(port) && !(resting.TryGetValue(port, out var until) && until > now) && IsFree(port))
            {
                resting.Remove(port);
                return port;
            }
        }
        throw new IOException($"no proxy port from {options.First} to {options.Last} is free; widen the range or see who listens (ss -ltn)");
    }

    private static bool IsFree(ushort port) =>
        CanListen(IPAddress.Loopback, port) && (!Socket.OSSupportsIPv6 || CanListen(IPAddress.IPv6Loopback, port));

    // The proxy binds with SO_REUSEADDR, and so does the runtime: two such sockets may bind the same port, and only listen(2) tells.
    // A socket in TIME_WAIT does not stop either. Without SO_REUSEPORT a proxy that shares its ports is seen as well.
    private static bool CanListen(IPAddress address, ushort port)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen(1);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            return true; // no such address on this host, hence nobody on it
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
