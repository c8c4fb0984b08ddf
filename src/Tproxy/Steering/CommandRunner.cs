using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Diagnostics;
using System.IO;
using System.Threading.Tasks;

namespace Postern.Tproxy.Steering;


/// <summary>
/// Runs a command with an argument array (no shell), a time limit and drained pipes. It starts on the calling thread, so that the command runs
/// in that thread's network namespace.
/// </summary>
internal sealed class CommandRunner(TimeSpan timeout)
{
    // Services are often started with a PATH that lacks the sbin folders, where these tools live.
    private static readonly string[] Fallbacks = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

    /// <summary>The full path of a command, or null.</summary>
    internal static string? Find(string command)
    {
        foreach (var folder in (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':'))
        {
            if (folder.StartsWith('/') && File.Exists(Path.Combine(folder, command)))
            {
                return Path.Combine(folder, command);
            }
        }

        foreach (var folder in Fallbacks)
        {
            if (File.Exists(Path.Combine(folder, command)))
            {
                return Path.Combine(folder, command);
            }
        }

        return null;
    }

    /// <summary>As <see cref="Find"/>.</summary>
    /// <exception cref="TproxyException">It is missing.</exception>
    internal static string Demand(string command) => Find(command)
        ?? throw new TproxyException($"steering needs the command '{command}', which is neither in PATH nor in /usr/sbin; install it (packages iptables, iproute2)");

    /// <exception cref="TproxyException">The command is missing, cannot be started, or ran into the time limit (then it is killed).</exception>
    internal CommandResult Run(string command, IReadOnlyList<string> arguments, string? input = null)
    {
        var path = Demand(command);
        var start = new ProcessStartInfo(path)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["LC_ALL"] = "C";
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            using var process = Process.Start(start)!;
            // All three pipes move at once: a command blocked on a full one would never end, and neither would we.
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            var fed = Feed(process.StandardInput, input);
            if (!process.WaitForExit(timeout))
            {
                process.Kill(entireProcessTree: true);
                throw new TproxyException($"'{command} {string.Join(' ', arguments)}' took longer than {timeout.TotalSeconds:0.#} s and was stopped; does another program hold the xtables lock?");
            }

            fed.GetAwaiter().GetResult();
            return new CommandResult(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
        }
        catch (Win32Exception error)
        {
            throw new TproxyException($"cannot start '{path}': {error.Message}", error);
        }
    }

    private static async Task Feed(StreamWriter pipe, string? input)
    {
        try
        {
            await using (pipe.ConfigureAwait(false))
            {
                await pipe.WriteAsync(input).ConfigureAwait(false);
            }
        }
        catch (IOException)
        {
            // It ended without reading; its exit code tells why.
        }
    }
}
