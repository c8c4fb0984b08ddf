using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using Postern.Agent.Api;
using Postern.Agent.Supervise;

namespace Postern.Agent.Cli;

/// <summary><c>postern-agent status</c>.</summary>
internal static class StatusCommand
{
    public static Command Create() => new Query().Of<StatusView>("status", "Whether what the folder says is enforced, and what is in the way", "/v1/status", Write);

    internal static void Write(StatusView status, TextWriter output)
    {
        Line(output, "Policy", $"revision {Number(status.Policy.Revision)}, enforced {Number(status.Policy.EnforcedRevision)}: {status.Policy.State}{After(": ", status.Policy.Detail)}");
        Line(output, "Folder", $"{status.Folder}: {Number(status.Counts.Endpoints)} endpoints ({Number(status.Counts.IngressEnforced)} ingress, {Number(status.Counts.EgressEnforced)} egress enforced), {Number(status.Counts.Identities)} identities, {Number(status.Counts.Policies)} policies");
        Line(output, "Proxy", Proxy(status.Proxy));
        if (status.Proxy.LastExit.Length > 0)
        {
            Line(output, "Last exit", $"{status.Proxy.LastExit}, at {Time(status.Proxy.LastExitAt)}");
        }
        Line(output, "Proxy log", status.ProxyLog);
        foreach (var line in status.Proxy.LastLines)
        {
            output.WriteLine("  | " + line);
        }
        Line(output, "Steering", $"{status.Steering.Mode}{(status.Steering.Reason.Length > 0 ? $" ({status.Steering.Reason})" : string.Empty)}, {(status.Steering.Installed ? $"{Number(status.Steering.Rules.Count)} rules installed" : "not installed")}, while the proxy is down: {status.Steering.WhileProxyDown}{After("; last error: ", status.Steering.Error)}");
        if (status.Steering.Devices.Count > 0)
        {
            Line(output, "Devices", string.Join(' ', status.Steering.Devices));
        }
        foreach (var rule in status.Steering.Rules)
        {
            output.WriteLine("  " + rule);
        }
        Section(output, "Problems", status.Problems);
        Section(output, "Warnings", status.Warnings);
        output.WriteLine();
        if (status.Streams.Count == 0)
        {
            output.WriteLine("No proxy is connected to the xDS socket.");
            return;
        }
        var table = new TextTable("STREAM", "SENT", "ACKED", "SINCE", "LAST NACK");
        foreach (var stream in status.Streams)
        {
            var names = stream.Names.Count == 0 ? string.Empty : " " + string.Join(',', stream.Names);
            table.Add(
                stream.Type + names,
                stream.Sent.ToString(CultureInfo.InvariantCulture),
                stream.Acked.ToString(CultureInfo.InvariantCulture),
                Time(stream.Connected),
                stream.LastNack.Length == 0 ? "-" : $"{Time(stream.LastNackAt)} {stream.LastNack.ReplaceLineEndings(" ")}");
        }
        table.WriteTo(output);
    }

    private static string Proxy(ProxyStatus proxy)
    {
        var state = proxy.State switch
        {
            ProxyState.NotStarted => "not started yet",
            ProxyState.Down => "DOWN, waits to be launched again",
            _ => proxy.State.ToString().ToLowerInvariant(),
        };
        var pid = proxy.Pid is { } number ? $", pid {number.ToString(CultureInfo.InvariantCulture)} since {Time(proxy.Since)}{(proxy.Adopted ? ", adopted from an earlier agent" : string.Empty)}" : string.Empty;
        return $"{state}{pid}, {Number(proxy.Restarts)} restarts";
    }

    private static void Section(TextWriter output, string title, IReadOnlyList<string> lines)
    {
        if (lines.Count == 0)
        {
            Line(output, title, "none");
            return;
        }
        Line(output, title, Number(lines.Count));
        foreach (var line in lines)
        {
            output.WriteLine("  " + line);
        }
    }

    private static void Line(TextWriter output, string title, string text) => output.WriteLine((title + ":").PadRight(12) + text);

    private static string After(string separator, string text) => text.Length == 0 ? string.Empty : separator + text.ReplaceLineEndings(" ");

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Time(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "-";
}
