using System;
using System.Collections.Generic;
using System.IO;

namespace Postern.Agent.Supervise;

/// <summary>What to launch.</summary>
/// <param name="Executable">Full path.</param>
/// <param name="Arguments">All of them.</param>
/// <param name="AdminSocket">Where the proxy answers <c>/ready</c>.</param>
public sealed record ProxyCommand(string Executable, IReadOnlyList<string> Arguments, string AdminSocket)
{
    /// <summary>
    /// Arguments that every proxy of an agent gets, apart from paths: nothing but the proxy stands between the endpoints, and the steering
    /// rules are the agent's, also while it is dead.
    /// </summary>
    public static readonly IReadOnlyList<string> Always = ["--only-datapath", "--keep-steering"];

    // Whoever launches the proxy is there to tell it, so that the disk could only be older: an agent that is slow to answer must not bring back policies
    // for addresses that others have by now.
    private static readonly string[] NoState = ["--state-dir", ""];

    /// <summary>Builds the command line of <c>postern run</c>.</summary>
    /// <param name="executable">The proxy.</param>
    /// <param name="bootstrap">Its bootstrap file.</param>
    /// <param name="runtimeFolder">For its sockets.</param>
    /// <param name="adminSocket">As the bootstrap names it.</param>
    /// <param name="extra">The operator's arguments, last, so that they win.</param>
    public static ProxyCommand Of(string executable, string bootstrap, string runtimeFolder, string adminSocket, IReadOnlyList<string> extra) => new(
        Path.GetFullPath(executable),
        [
            "run", "-c", bootstrap,
            .. Contains(extra, "--observe-socket") ? (string[])[] : ["--observe-socket", Path.Combine(runtimeFolder, "observe.sock")],
            .. Contains(extra, "--state-dir") ? [] : NoState,
            .. Always, .. extra,
        ],
        adminSocket);

    /// <summary>Whether a process of that executable may be one of ours; a script runs under its interpreter's name.</summary>
    public bool IsRunBy(string running) =>
        string.Equals(running, Resolve(Executable), StringComparison.Ordinal) || IsScript(Executable);

    private static bool Contains(IReadOnlyList<string> arguments, string option)
    {
        foreach (var argument in arguments)
        {
            if (argument == option || argument.StartsWith(option + "=", StringComparison.Ordinal))
            {
                return true;
            }
        }
        return false;
    }

    private static string Resolve(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;

    private static bool IsScript(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return file.ReadByte() == '#' && file.ReadByte() == '!';
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
