using System;

namespace Postern.Tproxy.Steering;

/// <summary>What a command left: exit code and both outputs.</summary>
internal readonly record struct CommandResult(int ExitCode, string Output, string Error)
{
    internal bool Succeeded => ExitCode == 0;

    /// <summary>The first line of what it complained about, for a one-line message.</summary>
    internal string Complaint
    {
        get
        {
            var text = (Error.Length > 0 ? Error : Output).Trim();
            var end = text.IndexOf('\n', StringComparison.Ordinal);
            return text.Length == 0 ? $"exit code {ExitCode}" : end < 0 ? text : text[..end];
        }
    }
}
