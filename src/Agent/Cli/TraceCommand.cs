using System;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Text.Json;
using System.Threading.Tasks;
using Postern.Agent.Api;
using Postern.Agent.Runtime;

namespace Postern.Agent.Cli;

/// <summary><c>postern-agent policy trace</c>: asks the running agent, or with <c>--dir</c> judges a folder that no agent follows.</summary>
internal static class TraceCommand
{
    public static Command Create()
    {
        var from = new Option<string>("--from") { Description = "Who asks: an endpoint namespace/name, or labels k8s:app=x,org=y", Required = true, HelpName = "WHO" };
        var to = new Option<string>("--to") { Description = "Who is asked", Required = true, HelpName = "WHO" };
        var port = new Option<string>("--port") { Description = "Destination port, TCP", Required = true, HelpName = "PORT" };
        port.Validators.Add(result =>
        {
            if (result.Tokens is [.., var token] && (!ushort.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0))
            {
                result.AddError($"--port: '{token.Value}' is not a port (1 to 65535)");
            }
        });
        var http = new Option<string?>("--http") { Description = "A request on that connection, like \"GET /x\"", HelpName = "\"METHOD PATH\"" };
        var headers = new Option<string[]>("--header") { Description = "Of the request, like \"x-token: 1\". Repeatable", HelpName = "\"NAME: VALUE\"" };
        var folder = new Option<string?>("--dir") { Description = "Judge this folder instead of asking the agent", HelpName = "FOLDER" };
        var query = new Query();
        var command = new Command("trace", "Which rule decides about a connection or a request") { from, to, port, http, headers, folder };
        query.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var question = new TraceQuestion
            {
                From = parsed.GetValue(from)!,
                To = parsed.GetValue(to)!,
                Port = ushort.Parse(parsed.GetValue(port)!, CultureInfo.InvariantCulture),
                Http = parsed.GetValue(http),
                Headers = parsed.GetValue(headers) ?? [],
            };
            return await query.RunAsync<TraceView>(
                parsed,
                (client, token) => parsed.GetValue(folder) is { } offline
                    ? Task.FromResult(JsonSerializer.Serialize(Offline(offline, question), ApiJson.Options))
                    : client.PostAsync("/v1/policy/trace", question, token),
                Write,
                cancellation).ConfigureAwait(false);
        });
        return command;
    }

    internal static void Write(TraceView answer, TextWriter output)
    {
        foreach (var line in answer.Lines)
        {
            output.WriteLine(line);
        }
    }

    private static TraceView Offline(string folder, TraceQuestion question)
    {
        var reading = FolderNodeSource.ReadOnce(folder);
        if (reading.Problems.Count > 0)
        {
            throw new ApiException($"{reading.Problems[0]} (and {(reading.Problems.Count - 1).ToString(CultureInfo.InvariantCulture)} more problems; see postern-agent policy validate --dir {folder})", 1);
        }
        try
        {
            return Tracer.Trace(reading.Node!, question);
        }
        catch (TraceException e)
        {
            throw new ApiException(e.Message, 2);
        }
    }
}
