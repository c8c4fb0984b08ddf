using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Text.Json;
using Postern.Agent.Api;

namespace Postern.Agent.Cli;

/// <summary><c>postern-agent monitor</c>: the proxy's access log as it comes.</summary>
internal static class MonitorCommand
{
    public static Command Create()
    {
        var query = new Query();
        var command = new Command("monitor", "Follow the proxy's access log");
        query.AddTo(command);
        command.SetAction((parsed, cancellation) => query.GuardAsync(parsed, client =>
        {
            var output = parsed.InvocationConfiguration.Output;
            return client.FollowAsync("/v1/monitor", line => output.WriteLine(query.Format(parsed) == OutputFormat.Json ? line : Text(line)), cancellation);
        }));
        return command;
    }

    internal static string Text(string json)
    {
        var entry = JsonSerializer.Deserialize<MonitorEntry>(json, ApiJson.Line) ?? throw new InvalidDataException("null");
        var what = entry.Method.Length > 0 ? $"{entry.Method} {entry.Url}" : string.Empty;
        var status = entry.Status > 0 ? " => " + entry.Status.ToString(CultureInfo.InvariantCulture) : string.Empty;
        return Clean(string.Create(
            CultureInfo.InvariantCulture,
            $"{entry.Time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {entry.Type,-8} {entry.Direction,-7} {entry.Source} ({entry.SourceIdentity}) -> {entry.Destination} ({entry.DestinationIdentity}) {entry.Protocol} {what}{status}{(entry.Rule.Length > 0 ? " rule=" + entry.Rule : string.Empty)}"));
    }

    // What a client sent must not steer the terminal.
    private static string Clean(string text) => string.Create(text.Length, text, static (line, from) =>
    {
        for (var i = 0; i < line.Length; i++)
        {
            line[i] = char.IsControl(from[i]) ? '?' : from[i];
        }
    }).TrimEnd();
}
