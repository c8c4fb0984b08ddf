using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;

namespace Postern.Tests.Netns.Agent;

/// <summary>Ships that ask again and again until the test ends them, and what they saw.</summary>
internal sealed class Load : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Thread> _askers = [];
    private readonly SortedDictionary<string, int> _seen = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TimeSpan> _longestGap = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    internal Load(AgentRig rig, params (string Source, string Method, string Path)[] requests)
    {
        foreach (var (source, method, path) in requests)
        {
            var asker = new Thread(() => Ask(rig, source, method, path));
            asker.Start();
            _askers.Add(asker);
        }
    }

    /// <summary>How often something was seen: parts of "METHOD PATH: 200".</summary>
    internal int Count(string part)
    {
        lock (_seen)
        {
            return _seen.Where(pair => pair.Key.Contains(part, StringComparison.Ordinal)).Sum(pair => pair.Value);
        }
    }

    /// <summary>Ends the askers.</summary>
    internal void Stop()
    {
        _stop.Cancel();
        _askers.ForEach(asker => asker.Join());
    }

    /// <summary>All that was seen, with the longest time between two answers of 200.</summary>
    internal string Report()
    {
        lock (_seen)
        {
            return string.Join("; ", _seen.Select(pair => $"{pair.Key} x {pair.Value}").Concat(_longestGap.Select(pair => $"{pair.Key}: longest without 200 {pair.Value.TotalMilliseconds:0} ms")));
        }
    }

    public void Dispose()
    {
        Stop();
        _stop.Dispose();
    }

    private void Ask(AgentRig rig, string source, string method, string path)
    {
        var name = $"{method} {path}";
        TimeSpan? last = null;
        while (!_stop.IsCancellationRequested)
        {
            var got = rig.Ask(source, method, path).Split(' ')[0];
            lock (_seen)
            {
                _seen[$"{name}: {got}"] = _seen.GetValueOrDefault($"{name}: {got}") + 1;
                if (got == "200")
                {
                    var now = _clock.Elapsed;
                    _longestGap[name] = TimeSpan.FromTicks(Math.Max(_longestGap.GetValueOrDefault(name).Ticks, last is null ? 0 : (now - last.Value).Ticks));
                    last = now;
                }
            }
        }
    }
}
