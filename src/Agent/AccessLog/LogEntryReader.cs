using System;
using System.Diagnostics.CodeAnalysis;
using Cilium;
using Google.Protobuf;

namespace Postern.Agent.AccessLog;

/// <summary>Reads a packet from a proxy, which is trusted for what it saw but not for the bytes it writes.</summary>
public static class LogEntryReader
{
    private const ulong EarliestTime = 1_000_000_000_000_000_000; // 2001, in ns: what is earlier is no time of day

    // Newer proxies may say more; what is not known here is not kept.
    private static readonly MessageParser<LogEntry> Parser = LogEntry.Parser.WithDiscardUnknownFields(true);

    /// <summary>Reads one <c>cilium.LogEntry</c>.</summary>
    /// <param name="packet">The whole packet.</param>
    /// <param name="entry">Null when refused.</param>
    /// <param name="problem">One line when refused, else empty.</param>
    public static bool TryRead(ReadOnlySpan<byte> packet, [NotNullWhen(true)] out LogEntry? entry, out string problem)
    {
        entry = null;
        try
        {
            var read = Parser.ParseFrom(packet);
            problem = FindProblem(read);
            entry = problem.Length == 0 ? read : null;
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or ArgumentException)
        {
            problem = $"no cilium.LogEntry: {e.Message.ReplaceLineEndings(" ")}"; // ArgumentException: text that is not UTF-8
        }
        return entry is not null;
    }

    private static string FindProblem(LogEntry entry)
    {
        if (entry.Timestamp < EarliestTime)
        {
            return $"timestamp {entry.Timestamp} is not in nanoseconds since 1970";
        }
        if (!Enum.IsDefined(entry.EntryType))
        {
            return $"entry_type {(int)entry.EntryType} is not known";
        }
        if (entry.ProxyId > ushort.MaxValue)
        {
            return $"proxy_id {entry.ProxyId} is no port";
        }
        if (entry.Http is { } http && !Enum.IsDefined(http.HttpProtocol))
        {
            return $"http_protocol {(int)http.HttpProtocol} is not known";
        }
        return entry.Http is { Status: > 999 } ? $"http status {entry.Http.Status} has more than three digits" : "";
    }
}
