using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Threading;
using Postern.Netns.Fixture;
using Postern.Tests.Netns.Proxy;

namespace Postern.Tests.Netns.Foreign;

/// <summary>A foreign server as a process in a namespace; what it prints is kept.</summary>
internal sealed class ForeignServer : IDisposable
{
    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly List<Thread> _readers = [];

    /// <summary>Starts it and waits until it listens on the port.</summary>
    internal ForeignServer(NetworkNamespace where, int port, string command, params string[] arguments)
    {
        _process = where.Start(command, arguments);
        Read(_process.StandardOutput);
        Read(_process.StandardError);
        var filter = "sport = :" + port.ToString(CultureInfo.InvariantCulture);
        Patience.Until(() => _process.HasExited || where.Run("ss", "-Hltn", filter).Output.Length > 0, () => $"{command} does not listen on {port}: {Report()}");
        if (_process.HasExited)
        {
            throw new InvalidOperationException($"{command} ended: {Report()}");
        }
    }

    /// <summary>Lines of both outputs so far.</summary>
    internal IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    internal void WaitForLine(string line) => Patience.Until(() => Lines.Contains(line), () => $"no line '{line}' in: {Report()}");

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }
        foreach (var reader in _readers)
        {
            reader.Join(Patience.Limit);
        }
        _process.Dispose();
    }

    private string Report() => string.Join('\n', Lines.TakeLast(20));

    private void Read(System.IO.StreamReader from)
    {
        var thread = new Thread(() =>
        {
            while (from.ReadLine() is { } line)
            {
                lock (_lines)
                {
                    _lines.Add(line);
                }
            }
        }) { IsBackground = true };
        thread.Start();
        _readers.Add(thread);
    }
}
