using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Sockets;

namespace Postern.Tproxy;

/// <summary>
/// Finds who listens on a port, for error messages: /proc/net/tcp (or udp) gives the socket's inode, /proc/PID/fd who holds it.
/// Another user's processes are visible to root only, so the answer may be just a hint.
/// </summary>
internal static class PortHolder
{
    private const string ListenState = "0A";
    private const string UnconnectedState = "07"; // TCP_CLOSE, as the kernel calls a UDP socket that takes from anybody
    private const int MostProcesses = 65_536;

    internal static string Describe(IPEndPoint at, ProtocolType protocol = ProtocolType.Tcp)
    {
        var (table, state, option) = protocol == ProtocolType.Udp ? ("udp", UnconnectedState, 'u') : ("tcp", ListenState, 't');
        var hint = $"another socket (ss -l{option}np 'sport = :{at.Port}' as root shows it)";
        try
        {
            // thread-self, not self: a thread may live in another network namespace than the process's first thread.
            var inodes = new HashSet<string>(StringComparer.Ordinal);
            Collect("/proc/thread-self/net/" + table, state, at.Port, inodes);
            if (at.AddressFamily == AddressFamily.InterNetworkV6 || inodes.Count == 0)
            {
                Collect($"/proc/thread-self/net/{table}6", state, at.Port, inodes);
            }

            return inodes.Count == 0 ? hint : HolderOf(inodes) ?? hint;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return hint;
        }
    }

    private static void Collect(string table, string state, int port, HashSet<string> inodes)
    {
        if (!File.Exists(table))
        {
            return;
        }

        var suffix = ":" + port.ToString("X4", CultureInfo.InvariantCulture);
        foreach (var line in File.ReadLines(table))
        {
            // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length > 9 && fields[3] == state && fields[1].EndsWith(suffix, StringComparison.Ordinal))
            {
                inodes.Add($"socket:[{fields[9]}]");
            }
        }
    }

    private static string? HolderOf(HashSet<string> inodes)
    {
        var seen = 0;
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(process), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
            {
                continue;
            }

            if (++seen > MostProcesses)
            {
                return null;
            }

            if (Holds(process, inodes))
            {
                return $"{Name(process)} (pid {pid}{(pid == Environment.ProcessId ? ", this process" : string.Empty)})";
            }
        }

        return null;
    }

    private static bool Holds(string process, HashSet<string> inodes)
    {
        try
        {
            foreach (var descriptor in Directory.EnumerateFileSystemEntries(Path.Combine(process, "fd")))
            {
                if (new FileInfo(descriptor).LinkTarget is { } target && inodes.Contains(target))
                {
                    return true;
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The process ended meanwhile or belongs to somebody else.
        }

        return false;
    }

    private static string Name(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "comm")).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "a process";
        }
    }
}
