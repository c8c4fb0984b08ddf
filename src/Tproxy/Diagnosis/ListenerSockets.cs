using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Net.Sockets;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Diagnosis;

/// <summary>Lists the sockets of the calling thread's network namespace that wait for connections or datagrams, with their options.</summary>
public static class ListenerSockets
{
    private const int MostProcesses = 65_536;
    private const int MostDatagrams = 65_536;

    /// <summary>All of them.</summary>
    /// <param name="blind">Gets a line for each kind that could not be listed.</param>
    public static IReadOnlyList<ListenerSocket> Read(Action<string> blind)
    {
        ArgumentNullException.ThrowIfNull(blind);
        var sockets = new List<ListenerSocket>();
        var sequence = 0u;
        foreach (var protocol in (ReadOnlySpan<SteeringProtocol>)[SteeringProtocol.Tcp, SteeringProtocol.Udp])
        {
            foreach (var family in (ReadOnlySpan<AddressFamily>)[AddressFamily.InterNetwork, AddressFamily.InterNetworkV6])
            {
                try
                {
                    List(family, protocol, ++sequence, sockets);
                }
                catch (TproxyException error)
                {
                    blind($"{protocol} sockets: {error.Message}");
                }
            }
        }

        return sockets;
    }

    /// <summary>The same with the processes that have those of these ports.</summary>
    public static IReadOnlyList<ListenerSocket> WithProcesses(IReadOnlyList<ListenerSocket> sockets, IReadOnlySet<int> ports)
    {
        ArgumentNullException.ThrowIfNull(sockets);
        ArgumentNullException.ThrowIfNull(ports);
        var wanted = new HashSet<string>(StringComparer.Ordinal);
        foreach (var socket in sockets)
        {
            if (ports.Contains(socket.Local.Port))
            {
                wanted.Add(Link(socket));
            }
        }

        var owners = new Dictionary<string, string>(StringComparer.Ordinal);
        if (wanted.Count > 0)
        {
            FindOwners(wanted, owners);
        }

        var named = new List<ListenerSocket>(sockets.Count);
        foreach (var socket in sockets)
        {
            named.Add(owners.TryGetValue(Link(socket), out var process) ? socket with { Process = process } : socket);
        }

        return named;
    }

    private static string Link(ListenerSocket socket) => string.Create(CultureInfo.InvariantCulture, $"socket:[{socket.Inode}]");

    private static void List(AddressFamily family, SteeringProtocol protocol, uint sequence, List<ListenerSocket> into)
    {
        using var socket = new DiagSocket();
        socket.Ask(InetDiag.Request(family, protocol, sequence));
        var buffer = new byte[64 * 1024];
        for (var i = 0; i < MostDatagrams; i++)
        {
            if (InetDiag.Read(buffer.AsSpan(0, socket.Answer(buffer)), protocol, sequence, into))
            {
                return;
            }
        }

        throw new TproxyException("the kernel's list of sockets has no end");
    }

    private static void FindOwners(HashSet<string> wanted, Dictionary<string, string> owners)
    {
        var seen = 0;
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            var pid = Path.GetFileName(process);
            if (!char.IsAsciiDigit(pid[0]))
            {
                continue;
            }

            if (++seen > MostProcesses || owners.Count == wanted.Count)
            {
                return;
            }

            try
            {
                foreach (var descriptor in Directory.EnumerateFileSystemEntries(Path.Combine(process, "fd")))
                {
                    if (new FileInfo(descriptor).LinkTarget is { } target && wanted.Contains(target))
                    {
                        owners.TryAdd(target, $"{File.ReadAllText(Path.Combine(process, "comm")).Trim()} (pid {pid})");
                    }
                }
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // The process ended meanwhile or belongs to somebody else.
            }
        }
    }
}
