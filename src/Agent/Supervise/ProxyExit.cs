using System;
using System.Globalization;

namespace Postern.Agent.Supervise;

/// <summary>How a proxy ended.</summary>
/// <param name="Code">Exit code, 128 + N for signal N; null when it was adopted and its parent took the code.</param>
/// <param name="Lived">From its launch, or its adoption.</param>
public sealed record ProxyExit(int? Code, TimeSpan Lived)
{
    /// <summary>For people: <c>killed by signal 9 (SIGKILL) after 12.3 s</c>.</summary>
    public string Reason
    {
        get
        {
            var how = Code switch
            {
                null => "ended (adopted, so its exit code is not known)",
                0 => "ended in order",
                > 128 => $"killed by signal {Code - 128}{NameOf(Code.Value - 128)}",
                126 or 127 => $"could not be started (exit code {Code})",
                _ => $"failed with exit code {Code}",
            };
            return string.Create(CultureInfo.InvariantCulture, $"{how} after {Lived.TotalSeconds:0.0} s");
        }
    }

    private static string NameOf(int signal) => signal switch
    {
        1 => " (SIGHUP)",
        2 => " (SIGINT)",
        6 => " (SIGABRT)",
        9 => " (SIGKILL; the kernel's memory killer uses it too)",
        11 => " (SIGSEGV)",
        15 => " (SIGTERM)",
        _ => string.Empty,
    };
}
