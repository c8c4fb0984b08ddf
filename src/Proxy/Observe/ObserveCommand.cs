using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Postern.Records.Observe;

namespace Postern.Proxy.Observe;

/// <summary><c>postern observe</c>: follows the live records of a running proxy.</summary>
public static class ObserveCommand
{
    /// <summary>The command for the command line.</summary>
    public static Command Create()
    {
        var socket = new Option<string>("--socket") { Description = "The proxy's observe socket", DefaultValueFactory = _ => ObserveOptions.DefaultSocket };
        var format = new Option<ObserveFormat>("--output", "-o") { Description = "table or json" };
        var last = new Option<int>("--last") { Description = "Show this many past records first" };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on with live records; --follow false stops after --last", DefaultValueFactory = _ => true };
        var denied = new Option<bool>("--denied") { Description = "Only what policy denied" };
        var command = new Command("observe", "Follow the records of a running proxy") { socket, format, last, follow, denied };
        command.SetAction((parsed, cancellation) => RunAsync(
            new ObserveOptions
            {
                Socket = parsed.GetValue(socket)!,
                Format = parsed.GetValue(format),
                Last = parsed.GetValue(last),
                Follow = parsed.GetValue(follow),
                DeniedOnly = parsed.GetValue(denied),
                Colors = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")),
            },
            Console.Out,
            Console.Error,
            cancellation));
        return command;
    }

    /// <summary>Runs until cancelled, or until the last past record when not following.</summary>
    /// <returns>0; 1 when no proxy listens, it refuses, or it goes away.</returns>
    public static async Task<int> RunAsync(ObserveOptions options, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        if (options.Last < 0)
        {
            await error.WriteLineAsync($"--last is {options.Last}; it must be 0 or more").ConfigureAwait(false);
            return 1;
        }

        try
        {
            using var client = await ObserveClient.ConnectAsync(options.Socket, cancellation).ConfigureAwait(false);
            return await ReadAsync(client, options, output, error, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or ArgumentException or InvalidDataException)
        {
            await error.WriteLineAsync($"no proxy publishes records on '{options.Socket}': {(File.Exists(options.Socket) ? e.Message : "there is no such socket")}. Does it run with an observe socket there? Name another with --socket PATH.").ConfigureAwait(false);
            return 1;
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
        catch (IOException)
        {
            return 0; // the reader of our output went away (observe | head)
        }
    }

    private static async Task<int> ReadAsync(ObserveClient client, ObserveOptions options, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        var past = new Queue<string>();
        var live = false;
        if (options.Format == ObserveFormat.Table)
        {
            await output.WriteLineAsync(ObserveTable.Header).ConfigureAwait(false);
        }

        while (await client.ReadLineAsync(cancellation).ConfigureAwait(false) is { } text)
        {
            var line = ObserveLine.Parse(text);
            switch (line.Kind)
            {
                case ObserveLineKind.ReplayEnd:
                    live = true;
                    while (past.TryDequeue(out var row))
                    {
                        await output.WriteLineAsync(row).ConfigureAwait(false);
                    }

                    break;

                case ObserveLineKind.Record when !options.DeniedOnly || line.Text("verdict") == "denied":
                    var shown = Show(line, text, options);
                    if (live)
                    {
                        await output.WriteLineAsync(shown).ConfigureAwait(false);
                    }
                    else
                    {
                        Keep(past, shown, options.Last);
                    }

                    break;

                case ObserveLineKind.Lost:
                    await output.WriteLineAsync(options.Format == ObserveFormat.Json ? text : ObserveTable.LostRow(line.Lost)).ConfigureAwait(false);
                    break;

                case ObserveLineKind.Error:
                    await error.WriteLineAsync($"the proxy on '{options.Socket}' refuses: {ObserveTable.Clean(line.Error)}").ConfigureAwait(false);
                    return 1;

                case ObserveLineKind.Malformed:
                    throw new InvalidDataException("what it sends is not a record");
            }

            await output.FlushAsync(cancellation).ConfigureAwait(false);
            if (live && !options.Follow)
            {
                return 0;
            }
        }

        await error.WriteLineAsync($"the proxy on '{options.Socket}' closed the connection; was it stopped?").ConfigureAwait(false);
        return 1;
    }

    private static void Keep(Queue<string> past, string row, int last)
    {
        past.Enqueue(row);
        if (past.Count > last)
        {
            past.Dequeue();
        }
    }

    private static string Show(ObserveLine line, string text, ObserveOptions options)
    {
        if (options.Format == ObserveFormat.Json)
        {
            return text;
        }

        var row = ObserveTable.Row(line);
        if (!options.Colors)
        {
            return row;
        }

        var color = ObserveTable.Verdict(line) switch
        {
            "DENIED" => "31",
            "ERROR" => "33",
            _ => "32",
        };
        return $"\u001b[{color}m{row}\u001b[0m";
    }
}
