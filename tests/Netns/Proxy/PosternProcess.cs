using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Proxy;

/// <summary>The proxy as a process in a namespace, started from programs/ in the tests' own output folder.</summary>
internal sealed class PosternProcess : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly ConcurrentQueue<string> _log = new();
    private readonly List<Thread> _readers = [];

    private PosternProcess(Process process)
    {
        _process = process;
        Read(process.StandardError, _log.Enqueue);
        Read(process.StandardOutput, line =>
        {
            lock (_output)
            {
                _output.Append(line).Append('\n');
            }
        });
    }

    /// <summary>The command that starts it; arguments follow.</summary>
    internal static IReadOnlyList<string> Command { get; } = CommandOf("postern.dll");

    internal static IReadOnlyList<string> CommandOf(string program) => [DotnetHost(), Path.Combine(AppContext.BaseDirectory, "programs", program)];

    internal int Pid => _process.Id;

    internal IReadOnlyList<string> Log => [.. _log];

    internal string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>Starts it; <paramref name="wrapper"/> is a command in front, such as <c>setpriv …</c>, that must exec.</summary>
    internal static PosternProcess Start(NetworkNamespace where, IEnumerable<string> wrapper, IEnumerable<string> arguments, string program = "postern.dll")
    {
        // Without this, every killed process would leave the runtime's diagnostic sockets in /tmp.
        string[] line = ["env", "DOTNET_EnableDiagnostics=0", .. wrapper, .. CommandOf(program), .. arguments];
        return new PosternProcess(where.Start(line[0], line[1..]));
    }

    internal PosternProcess WaitReady()
    {
        WaitForLog("ready", 1);
        return this;
    }

    /// <summary>Waits until that many lines of the log contain the text; gives the last of them.</summary>
    internal string WaitForLog(string text, int count = 1)
    {
        string[] Hits() => [.. _log.Where(line => line.Contains(text, StringComparison.Ordinal))];
        Patience.Until(() => Hits().Length >= count || _process.HasExited, () => $"no line with '{text}' ({count} x) in:\n{Report()}");
        var hits = Hits();
        return hits.Length >= count ? hits[^1] : throw new InvalidOperationException($"the proxy ended without a line with '{text}':\n{Report()}");
    }

    internal int CountLog(string text) => _log.Count(line => line.Contains(text, StringComparison.Ordinal));

    /// <summary>Sends a signal by name: TERM, INT, KILL.</summary>
    internal void Signal(string name)
    {
        using var kill = Process.Start("kill", ["-" + name, Pid.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Waits for the end; the outputs are complete then.</summary>
    internal int WaitForExit()
    {
        if (!_process.WaitForExit(Patience.Limit))
        {
            throw new TimeoutException("the proxy did not end:\n" + Report());
        }
        foreach (var reader in _readers)
        {
            reader.Join(Patience.Limit);
        }
        return _process.ExitCode;
    }

    internal bool HasExited => _process.HasExited;

    /// <summary>A line of /proc/PID/status in MiB: VmRSS or VmHWM.</summary>
    internal double MemoryMib(string key)
    {
        var line = File.ReadLines($"/proc/{Pid}/status").First(l => l.StartsWith(key, StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }
        _process.Dispose();
    }

    private string Report() => string.Join('\n', _log.TakeLast(30)) + Output;

    private void Read(StreamReader from, Action<string> take)
    {
        var thread = new Thread(() =>
        {
            try
            {
                while (from.ReadLine() is { } line)
                {
                    take(line);
                }
            }
            catch (ObjectDisposedException)
            {
            }
        }) { IsBackground = true };
        thread.Start();
        _readers.Add(thread);
    }

    private static string DotnetHost()
    {
        if (Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host)
        {
            return host;
        }
        return Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : "dotnet";
    }
}
