using System;

namespace Postern.Netns.Fixture;

/// <summary>Exit code and outputs of a command that ran in a namespace.</summary>
public sealed record CommandOutcome(string Command, int ExitCode, string Output, string Error)
{
    /// <summary>The standard output, or an exception that tells everything if the command failed.</summary>
    public string OrThrow() => ExitCode == 0
        ? Output
        : throw new InvalidOperationException($"'{Command}' ended with {ExitCode}: {Error}{Output}");
}
