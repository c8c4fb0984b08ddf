using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Runtime.ExceptionServices;
using System.Text;
using System.Threading;

namespace Postern.Netns.Fixture;

/// <summary>
/// A network namespace with a name no other run has (<c>pst-PID-N-label</c>), lo up. Disposing it deletes it with all its links, rules and routes.
/// What a killed test run left is deleted by the next one: its process id is in the name.
/// </summary>
public sealed class NetworkNamespace : IDisposable
{
    private const string Prefix = "pst-";
    private const string Folder = "/run/netns";
    private static readonly TimeSpan CommandLimit = TimeSpan.FromSeconds(20);
    private static int s_count;
    private static int s_swept;

    public NetworkNamespace(string label)
    {
        if (Interlocked.Exchange(ref s_swept, 1) == 0)
        {
            Sweep();
        }

        Name = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}-{label}");
        Host("ip", "netns", "add", Name).OrThrow();
        try
        {
            // Duplicate detection of the links' own fe80:: addresses holds up neighbour discovery for 1 to 2 s after a link comes up.
            Sysctl("net.ipv6.conf.all.accept_dad", "0");
            Sysctl("net.ipv6.conf.default.accept_dad", "0");
            Ip("link set lo up");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Name { get; }

    /// <summary>The path setns and nsenter take.</summary>
    public string Handle => Path.Combine(Folder, Name);

    /// <summary>Runs <c>ip</c> in the namespace; arguments are split at blanks. Throws if it fails.</summary>
    public string Ip(string arguments) => Run("ip", arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)).OrThrow();

    /// <summary>Several commands of <c>ip</c> in one process, in order: a topology has dozens, and every process costs milliseconds. Throws at the first that fails.</summary>
    public void Ip(IEnumerable<string> commands) => Host("nsenter", [$"--net={Handle}", "ip", "-batch", "-"], string.Join('\n', commands) + '\n').OrThrow();

    /// <summary>Sets a sysctl, named with dots, in the namespace.</summary>
    /// <exception cref="InvalidOperationException">There is none of that name, or it takes no such value.</exception>
    public void Sysctl(string name, string value) => Inside(() =>
    {
        try
        {
            // Of the thread's namespace. Without a process of its own: every topology sets eight.
            using var file = new FileStream("/proc/sys/" + name.Replace('.', '/'), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            file.Write(Encoding.ASCII.GetBytes(value));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"sysctl {name}={value}: {error.Message}", error);
        }
    });

    /// <summary>Runs a command in the namespace and waits for it, 20 s at most.</summary>
    public CommandOutcome Run(string command, params string[] arguments) =>
        Host("nsenter", [$"--net={Handle}", command, .. arguments]);

    /// <summary>Starts a command in the namespace; the caller ends it. Standard output and error are redirected.</summary>
    public Process Start(string command, params string[] arguments) =>
        Launch("nsenter", [$"--net={Handle}", command, .. arguments]);

    /// <summary>
    /// Runs code on a thread of its own inside the namespace. Sockets made there stay there, whichever thread uses them later; commands started
    /// there run there. Do not await inside: what follows would run on another thread.
    /// </summary>
    public T Inside<T>(Func<T> action)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                NamespaceSwitch.Enter(Handle);
                result = action();
            }
            catch (Exception error)
            {
                failure = ExceptionDispatchInfo.Capture(error);
            }
        }) { IsBackground = true, Name = Name };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    public void Inside(Action action) => Inside(() =>
    {
        action();
        return true;
    });

    /// <summary>Joins two namespaces by a veth pair, up at both ends.</summary>
    public static void Connect(NetworkNamespace one, string oneLink, NetworkNamespace other, string otherLink)
    {
        Join(one, oneLink, other, otherLink);
        one.Ip($"link set {oneLink} up");
        other.Ip($"link set {otherLink} up");
    }

    /// <summary>As <see cref="Connect"/>, both ends down as yet.</summary>
    internal static void Join(NetworkNamespace one, string oneLink, NetworkNamespace other, string otherLink) =>
        Host("ip", "link", "add", oneLink, "netns", one.Name, "type", "veth", "peer", "name", otherLink, "netns", other.Name).OrThrow();

    /// <summary>Adds an address, such as <c>10.0.1.2/24</c>. IPv6 addresses are usable at once (no duplicate detection).</summary>
    public void AddAddress(string link, string prefix) => Ip(AddressCommand(link, prefix));

    public void AddRoute(string destination, string via) => Ip((via.Contains(':', StringComparison.Ordinal) ? "-6 " : "-4 ") + RouteCommand(destination, via));

    /// <summary>For <see cref="Ip(IEnumerable{string})"/>: <see cref="AddAddress"/>.</summary>
    internal static string AddressCommand(string link, string prefix) => prefix.Contains(':', StringComparison.Ordinal) ? $"addr add {prefix} dev {link} nodad" : $"addr add {prefix} dev {link}";

    /// <summary>For <see cref="Ip(IEnumerable{string})"/>, where the family follows from the address.</summary>
    internal static string RouteCommand(string destination, string via) => $"route add {destination} via {via}";

    public void Dispose() => Host("ip", "netns", "del", Name);

    private static void Sweep()
    {
        if (!Directory.Exists(Folder))
        {
            return;
        }

        foreach (var path in Directory.EnumerateFileSystemEntries(Folder))
        {
            var name = Path.GetFileName(path);
            var parts = name.Split('-');
            if (name.StartsWith(Prefix, StringComparison.Ordinal)
                && parts.Length >= 4
                && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && !Directory.Exists("/proc/" + parts[1])
                && pid != Environment.ProcessId)
            {
                Host("ip", "netns", "del", name);
            }
        }
    }

    private static CommandOutcome Host(string command, params string[] arguments) => Host(command, arguments, input: null);

    private static CommandOutcome Host(string command, string[] arguments, string? input)
    {
        using var process = Launch(command, arguments, input is not null);
        if (input is not null)
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }

        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        var line = command + " " + string.Join(' ', arguments);
        if (!process.WaitForExit(CommandLimit))
        {
            process.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"'{line}' did not end within {CommandLimit.TotalSeconds} s");
        }

        return new CommandOutcome(line, process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    private static Process Launch(string command, IEnumerable<string> arguments, bool input = false)
    {
        var start = new ProcessStartInfo(command) { RedirectStandardInput = input, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }
}
