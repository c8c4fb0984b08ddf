using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Postern.Proxy.Http;
using Postern.Proxy.Listeners;
using Postern.Proxy.Upstream;
using Postern.Records;
using Postern.Tproxy;
using Postern.Tproxy.Steering;
using Postern.Xds;
using Postern.Xds.Config;

namespace Postern.Proxy.Lifecycle;

/// <summary>
/// The whole proxy: built from a bootstrap, started, stopped. Order of a start: records, policy, clusters, the HTTP engine, listeners, and
/// steering last, when there is somebody to steer to. A stop goes the other way round: listeners drain first and the rules go last, so
/// that no packet passes around policy while the proxy still runs.
/// </summary>
internal sealed class ProxyServer : IAsyncDisposable
{
    private static readonly TimeSpan LossReportInterval = TimeSpan.FromSeconds(30);

    private readonly BootstrapConfig bootstrap;
    private readonly RunOptions options;
    private readonly ILogger logger;
    private readonly RecordOutputs records;
    private readonly HttpEngine engine;
    private readonly ListenerManager listeners;
    private readonly ConcurrentDictionary<string, PolicySource> policies = new(StringComparer.Ordinal);
    private readonly SnapshotCompiler compiler;
    private readonly List<IDisposable> sources = [];
    private readonly Lock change = new();
    private volatile IReadOnlyDictionary<string, ClusterSnapshot> clusters = new Dictionary<string, ClusterSnapshot>();
    private IReadOnlyList<ClusterConfig> dynamicClusters = [];
    private IReadOnlyList<ListenerConfig> dynamicListeners = [];
    private readonly Timer lossReport;
    private IptablesSteering? steering;

    public ProxyServer(BootstrapConfig bootstrap, RunOptions options, ILoggerFactory loggers)
    {
        this.bootstrap = bootstrap;
        this.options = options;
        logger = loggers.CreateLogger("postern");
        records = new RecordOutputs(options, LogWarning);
        lossReport = new Timer(_ => records.LogLosses(LogWarning), null, LossReportInterval, LossReportInterval);
        engine = new HttpEngine(loggers);
        var connector = new UpstreamConnector();
        var pipeline = new ConnectionPipeline(engine.Handoff, connector, loggers.CreateLogger("postern.connection"));
        Admission = new Admission(options.MaxConnections);
        listeners = new ListenerManager(pipeline, connector, Admission, options.DrainTime, loggers.CreateLogger("postern.listener"));
        compiler = new SnapshotCompiler(name => clusters.GetValueOrDefault(name), PolicyAt, records.Sinks.For);
    }

    /// <summary>Connection counts.</summary>
    public Admission Admission { get; }

    /// <summary>Names and bound addresses of the listeners in force.</summary>
    public IReadOnlyList<(string Name, System.Net.IPEndPoint Address)> Listening => listeners.Listening;

    /// <summary>Starts everything.</summary>
    /// <exception cref="TproxyException">A static listener cannot be opened, or steering cannot be installed.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await engine.StartAsync(cancellationToken).ConfigureAwait(false);
        ApplyClusters([]);
        if (bootstrap.CdsSource is FileSourceConfig { Path: var cds })
        {
            Follow(cds, ResourceKinds.Cluster, file => ApplyClusters(file.Clusters));
        }
        var errors = ApplyListeners([]);
        if (errors.Count > 0)
        {
            throw new TproxyException(errors[0]);
        }
        if (bootstrap.LdsSource is FileSourceConfig { Path: var lds })
        {
            Follow(lds, ResourceKinds.Listener, file => Report(ApplyListeners(file.Listeners)));
        }
        InstallSteering();
        logger.LogInformation("ready");
    }

    /// <summary>Opens the records file anew, after it was moved away.</summary>
    public void ReopenRecords() => records.JsonFile?.Reopen();

    /// <summary>Drains and stops. Cancelling cuts what is still open.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        foreach (var source in sources)
        {
            source.Dispose();
        }
        logger.LogInformation("stopping: {Open} open connections may finish within --drain-time-s {Seconds}", Admission.Open, options.DrainTime.TotalSeconds);
        try
        {
            await listeners.StopAsync(options.DrainTime, cancellationToken).ConfigureAwait(false);
            using var now = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            await engine.StopAsync(now.Token).ConfigureAwait(false);
        }
        finally
        {
            steering?.Dispose();
            steering = null;
            await lossReport.DisposeAsync().ConfigureAwait(false);
            records.LogLosses(LogWarning);
        }
    }

    public async ValueTask DisposeAsync()
    {
        steering?.Dispose();
        await lossReport.DisposeAsync().ConfigureAwait(false);
        listeners.Dispose();
        await engine.DisposeAsync().ConfigureAwait(false);
        foreach (var (_, source) in policies)
        {
            source.Dispose();
        }
        records.Dispose();
    }

    private PolicySource PolicyAt(string path) => policies.GetOrAdd(path, p =>
    {
        var source = new PolicySource(p, LogWarning, LogInfo);
        source.Start();
        return source;
    });

    private void Follow(string path, ResourceKinds kind, Action<ResourceFile> apply)
    {
        var store = new ResourceStore<ResourceFile>(apply, LogWarning);
        var source = new FileResourceSource<ResourceFile>(path, p => ResourceFile.Load(p, kind), store);
        sources.Add(source);
        source.Start();
    }

    private void ApplyClusters(IReadOnlyList<ClusterConfig> discovered)
    {
        lock (change)
        {
            dynamicClusters = discovered;
            var old = clusters;
            var next = new Dictionary<string, ClusterSnapshot>(StringComparer.Ordinal);
            foreach (var config in Both(bootstrap.StaticClusters, dynamicClusters, c => c.Name, "cluster"))
            {
                // An equal cluster keeps its object, and with it the connections that know it.
                next[config.Name] = old.TryGetValue(config.Name, out var kept) && kept.Config.Equals(config) ? kept : new ClusterSnapshot(config);
            }
            clusters = next;
        }
    }

    private List<string> ApplyListeners(IReadOnlyList<ListenerConfig> discovered)
    {
        lock (change)
        {
            dynamicListeners = discovered;
            var wanted = Both(bootstrap.StaticListeners, dynamicListeners, l => l.Name, "listener");
            var errors = CheckClusters(wanted);
            errors.AddRange(listeners.Apply(wanted, compiler.Compile));
            return errors;
        }
    }

    // A listener whose clusters do not fit is refused as a whole; what was in force under its name stays.
    private List<string> CheckClusters(List<ListenerConfig> wanted)
    {
        var known = new Dictionary<string, ClusterConfig>(StringComparer.Ordinal);
        foreach (var (name, cluster) in clusters)
        {
            known[name] = cluster.Config;
        }
        var errors = new List<string>();
        for (var i = wanted.Count - 1; i >= 0; i--)
        {
            var listener = wanted[i];
            if (ClusterReferences.FindProblem(listener, known, unknownAllowed: bootstrap.CdsSource is not null) is not { } problem)
            {
                continue;
            }
            errors.Add($"listener {listener.Name}: {problem.Path}: {problem.Reason}");
            if (listeners.Find(listener.Name) is { } inForce)
            {
                wanted[i] = inForce;
            }
            else
            {
                wanted.RemoveAt(i);
            }
        }
        return errors;
    }

    // A name of the bootstrap cannot be taken over by discovery, as in Envoy.
    private List<T> Both<T>(IReadOnlyList<T> fixedOnes, IReadOnlyList<T> discovered, Func<T, string> name, string kind)
    {
        var all = new List<T>(fixedOnes);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in fixedOnes)
        {
            names.Add(name(item));
        }
        foreach (var item in discovered)
        {
            if (names.Add(name(item)))
            {
                all.Add(item);
            }
            else
            {
                LogWarning($"{kind} {name(item)} is defined in the bootstrap; the discovered one of the same name is ignored");
            }
        }
        return all;
    }

    private void InstallSteering()
    {
        if (options.Steer.Count == 0)
        {
            IptablesSteering.RemoveLeftovers(SteeringOptions.Default, LogInfo);
            return;
        }
        var rules = new List<SteeringRule>();
        foreach (var text in options.Steer)
        {
            rules.Add(SteeringRule.Parse(text));
        }
        var installed = new IptablesSteering(rules, SteeringOptions.Default, LogInfo);
        installed.Install();
        steering = installed;
        logger.LogInformation("steering installed: {Count} rules", rules.Count);
    }

    private void Report(IReadOnlyList<string> errors)
    {
        foreach (var error in errors)
        {
            LogWarning(error);
        }
    }

    private void LogWarning(string line) => logger.LogWarning("{Line}", line);

    private void LogInfo(string line) => logger.LogInformation("{Line}", line);
}
