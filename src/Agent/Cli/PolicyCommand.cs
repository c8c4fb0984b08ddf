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

/// <summary><c>postern-agent policy …</c>.</summary>
internal static class PolicyCommand
{
    public static Command Create() => new("policy", "Policies: as written, what they decide, whether they are valid") { Get(), TraceCommand.Create(), ValidateCommand.Create() };

    internal static void Write(IReadOnlyList<PolicyText> policies, TextWriter output)
    {
        var table = new TextTable("POLICY", "KIND", "SOURCE");
        foreach (var policy in policies)
        {
            table.Add(policy.Name, policy.Kind, policy.Source);
        }
        table.WriteTo(output);
    }

    private static Command Get()
    {
        var query = new Query();
        var name = new Argument<string?>("NAME") { Description = "namespace/name, or a name that is unique; without it all are listed", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("get", "The policies that the agent follows, as written") { name };
        query.AddTo(command);
        command.SetAction((parsed, cancellation) => parsed.GetValue(name) is { } wanted
            ? query.RunAsync<PolicyText>(parsed, (client, token) => OneAsync(client, wanted, token), WriteOne, cancellation)
            : query.RunAsync<List<PolicyText>>(parsed, (client, token) => client.GetAsync("/v1/policies", token), Write, cancellation));
        return command;
    }

    private static void WriteOne(PolicyText policy, TextWriter output)
    {
        output.WriteLine($"# {policy.Kind} {policy.Name}, {policy.Source}");
        output.WriteLine(policy.Yaml.TrimEnd());
    }

    private static async Task<string> OneAsync(ApiClient client, string wanted, CancellationToken cancellationToken)
    {
        var all = JsonSerializer.Deserialize<List<PolicyText>>(await client.GetAsync("/v1/policies", cancellationToken).ConfigureAwait(false), ApiJson.Options) ?? [];
        var found = all.FindAll(policy => policy.Name == wanted || policy.Name.EndsWith("/" + wanted, StringComparison.Ordinal));
        return found.Count switch
        {
            1 => JsonSerializer.Serialize(found[0], ApiJson.Options),
            0 => throw new ApiException($"there is no policy '{wanted}'; there are: {(all.Count == 0 ? "none" : string.Join(", ", all.ConvertAll(policy => policy.Name)))}", 2),
            _ => throw new ApiException($"'{wanted}' is not unique: {string.Join(", ", found.ConvertAll(policy => policy.Name))}", 2),
        };
    }
}
