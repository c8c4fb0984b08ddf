using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Text.Json;
using System.Threading.Tasks;
using Postern.Agent.Api;
using Postern.Agent.Doctor;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Cli;

/// <summary><c>postern-agent doctor</c>: looks at everything that steering stands on, and changes nothing.</summary>
internal static class DoctorCommand
{
    /// <summary>Something is wrong; 2 is a wrong question.</summary>
    private const int Found = 1;

    public static Command Create()
    {
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Only failures and warnings" };
        var root = BpfRoot();
        var query = new Query();
        var command = new Command("doctor", "Examine kernel, routing, steering, listeners and proxy; exit code 1 if something fails") { quiet, root, DoctorTraceCommand.Create() };
        query.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var code = 0;
            var failed = await query.GuardAsync(parsed, async client =>
            {
                var facts = await new NodeProbe(SteeringOptions.Default with { BpfRoot = parsed.GetValue(root)! }, client, query.Socket(parsed)).ReadAsync(cancellation).ConfigureAwait(false);
                var all = Examination.Run(facts);
                code = Summary(all).Failures > 0 ? Found : 0;
                var shown = parsed.GetValue(quiet) ? Problems(all) : all;
                var output = parsed.InvocationConfiguration.Output;
                if (query.Format(parsed) == OutputFormat.Json)
                {
                    await output.WriteLineAsync(JsonSerializer.Serialize(shown, ApiJson.Options)).ConfigureAwait(false);
                }
                else
                {
                    Write(shown, all, output);
                }
            }).ConfigureAwait(false);
            return failed != 0 ? failed : code;
        });
        return command;
    }

    internal static Option<string> BpfRoot() =>
        new("--bpf-root") { Description = "The agent's --bpf-root", DefaultValueFactory = _ => SteeringOptions.Default.BpfRoot, HelpName = "FOLDER" };

    internal static void Write(IReadOnlyList<Finding> shown, IReadOnlyList<Finding> all, TextWriter output)
    {
        // Two lines for what is not well rather than five columns: it is to be read in a terminal, and pasted into a report.
        var table = new TextTable("LEVEL", "ID", "WHAT");
        foreach (var finding in shown)
        {
            var what = $"{finding.Subject}: {finding.Value.ReplaceLineEndings("; ")}";
            if (finding.Level != FindingLevel.Ok)
            {
                what += "\n  " + finding.Meaning + (finding.Mend is null ? string.Empty : "\n  mend: " + finding.Mend);
            }
            table.Add(finding.Level == FindingLevel.Ok ? "ok" : finding.Level.ToString().ToUpperInvariant(), finding.Id, Cell(what));
        }
        if (shown.Count > 0)
        {
            table.WriteTo(output);
        }
        var (failures, warnings) = Summary(all);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{all.Count} findings: {failures} failures, {warnings} warnings."));
    }

    // What others wrote (names of processes, rules) must not steer the terminal.
    internal static string Cell(string text) => string.Create(text.Length, text, static (line, from) =>
    {
        for (var i = 0; i < line.Length; i++)
        {
            line[i] = char.IsControl(from[i]) && from[i] != '\n' ? '?' : from[i];
        }
    });

    private static (int Failures, int Warnings) Summary(IReadOnlyList<Finding> findings)
    {
        int failures = 0, warnings = 0;
        foreach (var finding in findings)
        {
            failures += finding.Level == FindingLevel.Failure ? 1 : 0;
            warnings += finding.Level == FindingLevel.Warning ? 1 : 0;
        }
        return (failures, warnings);
    }

    private static List<Finding> Problems(IReadOnlyList<Finding> findings)
    {
        var problems = new List<Finding>();
        foreach (var finding in findings)
        {
            if (finding.Level >= FindingLevel.Warning)
            {
                problems.Add(finding);
            }
        }
        return problems;
    }
}
