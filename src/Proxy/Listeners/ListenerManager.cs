using System;
using System.Collections.Generic;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Postern.Proxy.Discovery;
using Postern.Proxy.Stats;
using Postern.Proxy.Upstream;
using Postern.Tproxy;
using Postern.Xds.Config;

namespace Postern.Proxy.Listeners;

/// <summary>
/// Brings the listeners in force to what configuration says: opens new ones, drains removed and changed ones, leaves equal ones alone.
/// A changed listener keeps its sockets where it can, so there is no gap. Changes come from one thread at a time.
/// </summary>
internal sealed partial class ListenerManager : IListenerHost, IDisposable
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMilliseconds(250);

    private readonly Lock gate = new();
    private readonly Dictionary<string, ListenerState> active = [];
    private readonly List<(ConnectionRegistry Registry, long AbortAt, StatsScope[] Scopes)> draining = [];
    private readonly ConnectionPipeline pipeline;
    private readonly UpstreamConnector connector;
    private readonly Admission admission;
    private readonly TimeSpan drainTime;
    private bool closed; // drained for good: what configuration says opens nothing any more
    private readonly StatsRegistry stats;
    private readonly ILogger logger;
    private readonly Timer sweeper;

    public ListenerManager(ConnectionPipeline pipeline, UpstreamConnector connector, Admission admission, TimeSpan drainTime, ILogger logger, StatsRegistry? stats = null)
    {
        this.pipeline = pipeline;
        this.connector = connector;
        this.admission = admission;
        this.drainTime = drainTime;
        this.stats = stats ?? new StatsRegistry();
        this.logger = logger;
        sweeper = new Timer(static s => ((ListenerManager)s!).Sweep(), this, SweepInterval, SweepInterval);
    }

    /// <summary>Names and addresses in force.</summary>
    public IReadOnlyList<(string Name, IPEndPoint Address)> Listening
    {
        get
        {
            var list = new List<(string, IPEndPoint)>();
            lock (gate)
            {
                foreach (var (name, state) in active)
                {
                    foreach (var address in state.Bound)
                    {
                        list.Add((name, address));
                    }
                }
            }
            return list;
        }
    }

    /// <summary>Where open connections stand: of listeners in force, and of those that drain. Later ones hold only connections judged later.</summary>
    public IReadOnlyList<ConnectionRegistry> Registries()
    {
        lock (gate)
        {
            var all = new List<ConnectionRegistry>(active.Count + draining.Count);
            foreach (var (_, state) in active)
            {
                all.Add(state.Registry);
            }
            foreach (var (registry, _, _) in draining)
            {
                all.Add(registry);
            }
            return all;
        }
    }

    /// <summary>The configuration in force under that name, or null.</summary>
    public ListenerConfig? Find(string name)
    {
        lock (gate)
        {
            return active.TryGetValue(name, out var state) ? state.Snapshot.Config : null;
        }
    }

    /// <summary>Makes exactly these listeners be in force.</summary>
    /// <param name="configs">All of them; names are unique.</param>
    /// <param name="compile">Makes a snapshot of one; called for new and changed ones only.</param>
    /// <returns>The listeners that could not be opened, and why; the others are in force.</returns>
    public IReadOnlyList<(string Name, string Error)> Apply(IReadOnlyList<ListenerConfig> configs, Func<ListenerConfig, ListenerSnapshot> compile)
    {
        var errors = new List<(string Name, string Error)>();
        lock (gate)
        {
            if (closed)
            {
                return errors;
            }
            // What goes away goes first: a new listener may want its port.
            RemoveOthers(configs);
            var blocked = ReplaceChanged(configs, compile, errors);
            // A changed listener may have given up the port that another one wants: those get further turns as long as that helps anybody.
            while (blocked.Count > 0)
            {
                var names = blocked.ConvertAll(static config => config.Name);
                errors.RemoveAll(error => names.Contains(error.Name));
                var still = ReplaceChanged(blocked, compile, errors);
                if (still.Count == blocked.Count)
                {
                    Exchange(blocked, compile, errors);
                    break;
                }
                blocked = still;
            }
            UpdateLoopGuard();
        }
        return errors;
    }

    /// <summary>Stops accepting for good; open connections finish.</summary>
    public void DrainAll()
    {
        lock (gate)
        {
            closed = true;
            foreach (var (_, state) in active)
            {
                Drain(state);
            }
            active.Clear();
        }
    }

    /// <summary>Drains everything and waits until the connections are gone or the time is over; then cuts them.</summary>
    public async Task StopAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        var end = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        DrainAll();
        while (Environment.TickCount64 < end && !cancellationToken.IsCancellationRequested && AnyOpen())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), CancellationToken.None).ConfigureAwait(false);
        }
        lock (gate)
        {
            foreach (var (registry, _, _) in draining)
            {
                registry.AbortAll();
            }
        }
    }

    public void Dispose() => sweeper.Dispose();

    private void RemoveOthers(IReadOnlyList<ListenerConfig> configs)
    {
        var wanted = new HashSet<string>();
        foreach (var config in configs)
        {
            wanted.Add(config.Name);
        }
        foreach (var (name, state) in active)
        {
            if (!wanted.Contains(name))
            {
                active.Remove(name);
                Drain(state);
                LogRemoved(logger, name);
            }
        }
    }

    // Returns those whose addresses could not be opened.
    private List<ListenerConfig> ReplaceChanged(IReadOnlyList<ListenerConfig> configs, Func<ListenerConfig, ListenerSnapshot> compile, List<(string Name, string Error)> errors)
    {
        var blocked = new List<ListenerConfig>();
        foreach (var config in configs)
        {
            active.TryGetValue(config.Name, out var old);
            if (old is not null && old.Snapshot.Config.Equals(config))
            {
                continue;
            }
            try
            {
                Replace(old, config, compile(config));
            }
            catch (Policy.PolicyConfigException e)
            {
                errors.Add((config.Name, e.Message));
            }
            catch (TproxyException e)
            {
                errors.Add((config.Name, e.Message));
                blocked.Add(config);
            }
        }
        return blocked;
    }

    // Those that stand in each other's way close together and open together; only then is there a gap.
    private void Exchange(List<ListenerConfig> blocked, Func<ListenerConfig, ListenerSnapshot> compile, List<(string Name, string Error)> errors)
    {
        var circle = PortExchange.Find(blocked, name => active.TryGetValue(name, out var state) ? state.Bound : []);
        var stopped = new List<ListenerState>();
        foreach (var config in circle)
        {
            errors.RemoveAll(error => error.Name == config.Name);
            if (active.TryGetValue(config.Name, out var old))
            {
                old.StopAccepting();
                stopped.Add(old);
            }
        }
        ReplaceChanged(circle, compile, errors);
        foreach (var old in stopped)
        {
            // What could not move goes back to where it was.
            if (ReferenceEquals(active[old.Snapshot.Name], old))
            {
                active.Remove(old.Snapshot.Name);
                Drain(old);
                ReplaceChanged([old.Snapshot.Config], compile, errors);
            }
        }
    }

    private void Replace(ListenerState? old, ListenerConfig config, ListenerSnapshot snapshot)
    {
        if (old is not null && old.CanTake(snapshot))
        {
            var scopes = old.Snapshot.StatsScopes;
            Drain(old.Take(snapshot), scopes);
            LogChanged(logger, config.Name);
            return;
        }
        // Open first: if that fails, the old one stays in force.
        ListenerState state;
        try
        {
            state = ListenerState.Open(snapshot, pipeline, admission, stats, logger);
        }
        catch
        {
            Release(snapshot.StatsScopes);
            throw;
        }
        active[config.Name] = state;
        state.Start();
        LogListening(logger, config.Name, string.Join(", ", state.Bound));
        if (old is not null)
        {
            Drain(old);
        }
    }

    private void Drain(ListenerState state)
    {
        state.StopAccepting();
        Drain(state.Registry, [.. state.Snapshot.StatsScopes, state.Stats.Scope]);
    }

    private void Drain(ConnectionRegistry registry, StatsScope[] scopes)
    {
        draining.Add((registry, Environment.TickCount64 + (long)drainTime.TotalMilliseconds, scopes));
        registry.BeginDrain();
    }

    private void Release(StatsScope[] scopes)
    {
        foreach (var scope in scopes)
        {
            stats.Release(scope);
        }
    }

    private bool AnyOpen()
    {
        lock (gate)
        {
            foreach (var (registry, _, _) in draining)
            {
                if (!registry.IsEmpty)
                {
                    return true;
                }
            }
        }
        return false;
    }

    private void UpdateLoopGuard()
    {
        var addresses = new List<IPEndPoint>();
        foreach (var (_, state) in active)
        {
            addresses.AddRange(state.Bound);
        }
        connector.SetListeners(new LoopGuard(addresses, HostAddresses.Read()));
    }

    private void Sweep()
    {
        var now = Environment.TickCount64;
        lock (gate)
        {
            foreach (var (_, state) in active)
            {
                state.Registry.Sweep(now);
            }
            for (var i = draining.Count - 1; i >= 0; i--)
            {
                var (registry, abortAt, scopes) = draining[i];
                registry.Sweep(now);
                if (registry.TryRetire())
                {
                    draining.RemoveAt(i);
                    Release(scopes);
                }
                else if (now >= abortAt)
                {
                    registry.AbortAll();
                }
            }
        }
    }

    [LoggerMessage(30, LogLevel.Information, "listener {Listener} listens on {Addresses}")]
    private static partial void LogListening(ILogger logger, string listener, string addresses);

    [LoggerMessage(32, LogLevel.Information, "listener {Listener} changed; connections under its old configuration drain")]
    private static partial void LogChanged(ILogger logger, string listener);

    [LoggerMessage(31, LogLevel.Information, "listener {Listener} was removed; its connections drain")]
    private static partial void LogRemoved(ILogger logger, string listener);
}
