using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Postern.Agent.Api;
using Postern.Agent.Runtime;

namespace Postern.Agent.Cli;

/// <summary>What all commands share that ask a running agent: two options, one way to fail.</summary>
internal sealed class Query
{
    private readonly Option<string> socket = new("--api-socket") { Description = "The agent's socket", DefaultValueFactory = _ => AgentOptions.DefaultRuntimeFolder + "/agent.sock", HelpName = "PATH" };
    private readonly Option<OutputFormat> format = new("--output", "-o") { Description = "table or json" };

    /// <summary>The options, to be added to a command.</summary>
    public IEnumerable<Option> Options => [socket, format];

    /// <summary>Fetches <paramref name="path"/>; prints it as it is, or as <paramref name="table"/> says.</summary>
    public Command Of<T>(string name, string description, string path, Action<T, TextWriter> table)
    {
        var command = new Command(name, description);
        AddTo(command);
        command.SetAction((parsed, cancellation) => RunAsync(parsed, (client, token) => client.GetAsync(path, token), table, cancellation));
        return command;
    }

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in Options)
        {
            command.Add(option);
        }
    }

    /// <summary>As chosen.</summary>
    public OutputFormat Format(ParseResult parsed) => parsed.GetValue(format);

    /// <summary>Where the agent is asked.</summary>
    public string Socket(ParseResult parsed) => parsed.GetValue(socket)!;

    /// <summary>Asks, prints, and turns failures into one line and an exit code.</summary>
    public async Task<int> RunAsync<T>(ParseResult parsed, Func<ApiClient, CancellationToken, Task<string>> ask, Action<T, TextWriter> table, CancellationToken cancellationToken)
    {
        var output = parsed.InvocationConfiguration.Output;
        return await GuardAsync(parsed, async client =>
        {
            var text = await ask(client, cancellationToken).ConfigureAwait(false);
            if (Format(parsed) == OutputFormat.Json)
            {
                await output.WriteLineAsync(text).ConfigureAwait(false);
            }
            else
            {
                table(JsonSerializer.Deserialize<T>(text, ApiJson.Options)!, output);
            }
        }).ConfigureAwait(false);
    }

    /// <summary>Runs something with a client.</summary>
    public async Task<int> GuardAsync(ParseResult parsed, Func<ApiClient, Task> action)
    {
        using var client = new ApiClient(parsed.GetValue(socket)!);
        try
        {
            await action(client).ConfigureAwait(false);
            return 0;
        }
        catch (ApiException e)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync("postern-agent: " + e.Message).ConfigureAwait(false);
            return e.ExitCode;
        }
        catch (JsonException e)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync("postern-agent: the answer is not what this version expects: " + e.Message).ConfigureAwait(false);
            return 1;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            return 0; // Ctrl-C, or the reader of our output went away
        }
    }
}
