using System.CommandLine;
using System.IO;
using Postern.Agent.Compile;
using Postern.Agent.Runtime;

namespace Postern.Agent.Cli;

/// <summary><c>postern-agent policy validate</c>: reads a folder as the agent would, and changes nothing.</summary>
internal static class ValidateCommand
{
    public static Command Create()
    {
        var folder = new Option<string>("--dir") { Description = "The folder", Required = true, HelpName = "FOLDER" };
        folder.Validators.Add(result =>
        {
            if (result.Tokens is [.., var token] && !Directory.Exists(token.Value))
            {
                result.AddError($"--dir: there is no folder '{token.Value}'");
            }
        });
        var command = new Command("validate", "Check a folder offline; exit code 1 with FILE:LINE for each error") { folder };
        command.SetAction(parsed => Run(parsed.GetValue(folder)!, parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error));
        return command;
    }

    internal static int Run(string folder, TextWriter output, TextWriter error)
    {
        var reading = FolderNodeSource.ReadOnce(folder);
        foreach (var problem in reading.Problems)
        {
            error.WriteLine(problem);
        }
        var node = reading.Node ?? CompiledNode.Empty;
        foreach (var warning in node.Warnings)
        {
            output.WriteLine("warning: " + warning);
        }
        if (reading.Problems.Count > 0)
        {
            return 1;
        }
        output.WriteLine($"{folder}: OK, {node.Endpoints.Count} endpoints, {reading.Policies.Count} policies");
        return 0;
    }
}
