using System;
using System.CommandLine;
using Postern.Proxy.PolicyTest;

namespace Postern.Proxy.Cli;

/// <summary><c>postern policy …</c>: policy as code.</summary>
internal static class PolicyCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "JSON array of cases; see docs/policy-test.md" };
        var test = new Command("test", "Judge requests against policies, offline: one JSON line per update and request") { file };
        test.SetAction(parsed => PolicyTestCommand.Run(parsed.GetValue(file)!, Console.Out, Console.Error));
        return new Command("policy", "Try policies before they are rolled out") { test };
    }
}
