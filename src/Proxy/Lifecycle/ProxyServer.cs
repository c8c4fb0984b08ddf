using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Postern.Proxy.Admin;
using Postern.Proxy.Discovery;
using Postern.Proxy.Http;
using Postern.Proxy.LastGood;
using Postern.Proxy.Listeners;
using Postern.Proxy.Overload;
using Postern.Proxy.Stats;
using Postern.Proxy.Upstream;
using Postern.Tproxy;
using Postern.Tproxy.Steering;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Lifecycle;

/// <summary>
/// The whole proxy: built from a bootstrap, started, stopped. Order of a start: records, the HTTP engine, static clusters and listeners, then
/// what is discovered (clusters before listeners), and steering last, when there is somebody to steer to. A stop goes the other way round:
/// listeners drain first and the rules go last, so that no packet passes around policy while the proxy still runs.
/// </summary>
internal sealed partial class ProxyServer : IAsyncDisposable
{
    private static readonly TimeSpan LossReportInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PolicyPatience = TimeSpan.FromSeconds(1); // of "ready", for policy that comes from a file
    private static readonly TimeSpan FilePatience = TimeSpan.FromSeconds(10); // files answer at once; a disk that hangs must not hold the start for ever

    private readonly RunOptions options;
    private readonly StatsRegistry stats = new();
    private readonly AdminServer? admin;
    private readonly AdminActions actions;
    private readonly ILogger logger;
    private readonly RecordOutputs records;
    private readonly ListenerManager listeners;
    private readonly IDiscovery discovery;
    private readonly StateKeeper? keeper;
    private readonly LastGoodSubscriber? lastGood;
    private readonly DynamicResources resources;
    private readonly Timer lossReport;
    private readonly PolicyReview? review;
    private readonly OverloadManager? overload;
    private ISteering? steering;

    public ProxyServer(BootstrapConfig bootstrap, RunOptions options, ILoggerFactory loggers, DiscoveryParts parts, AdminActions actions)
    {
        Bootstrap = bootstrap;
        this.options = options;
        this.actions = actions;
        logger = loggers.CreateLogger("postern");
        records = new RecordOutputs(options, LogWarning);
        lossReport = new Timer(_ => records.LogLosses(LogWarning), null, LossReportInterval, LossReportInterval);
        var engine = new HttpEngine(loggers);
        var connector = new UpstreamConnector();
        var pipeline = new ConnectionPipeline(engine, connector, loggers.CreateLogger("postern.connection"), options.DeniedConnections);
        var overloadState = new OverloadState();
        Admission = new Admission((int)Math.Min(options.MaxConnections, bootstrap.MaxDownstreamConnections ?? int.MaxValue), options.MaxConnectionsPerSource, overloadState);
        overload = Overloads.Create(bootstrap.Overload, options.ShedByDefault, Admission, parts.Time, logger);
        listeners = new ListenerManager(pipeline, connector, Admission, options.DrainTime, loggers.CreateLogger("postern.listener"), stats);
        var gate = new ChangeGate(parts.Time);
        keeper = parts.Decoder is null ? null : KeepState(options, bootstrap, parts.Time);
        discovery = parts.Connect(bootstrap);
        if (keeper is not null)
        {
            lastGood = new LastGoodSubscriber(discovery, keeper, parts.Decoder!, gate, LogWarning);
        }
        ISubscriber subscriber = lastGood is null ? new DirectSubscriber(discovery) : lastGood;
        resources = new DynamicResources(bootstrap, subscriber, gate, listeners, new SnapshotParts(records.Sinks.For, stats, options.OnlyDatapath) { Overload = overloadState }, LogWarning, LogInfo);
        if (options.DeniedConnections == DeniedConnections.Cut)
        {
            review = new PolicyReview(listeners.Registries, loggers.CreateLogger("postern.policy"));
            resources.Policy.Changed += review.OnPolicyChanged;
        }
        stats.AddSource(new AdmissionStats(Admission));
        if (overload is not null)
        {
            stats.AddSource(overload);
        }
        stats.AddSource(new RecordStats(records.ReadCounters));
        admin = bootstrap.AdminAddress is { } address ? new AdminServer(address, this, stats, loggers) : null;
    }

    /// <summary>Connection counts.</summary>
    public Admission Admission { get; }

    /// <summary>Starts everything. Does not wait for a control plane; listeners and clusters of files are in force when it returns, policy of files a moment later (then the log says "ready").</summary>
    /// <exception cref="TproxyException">A static listener cannot be opened, or steering cannot be installed.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (admin is not null)
        {
            await admin.StartAsync(cancellationToken).ConfigureAwait(false); // first: it can say what the rest waits for
        }
        var errors = resources.Start();
        if (errors.Count > 0)
        {
            throw new TproxyException(errors[0]);
        }
        if (Bootstrap is { CdsSource: null or FileSourceConfig, LdsSource: null or FileSourceConfig })
        {
            await Task.WhenAny(resources.Initialized, Task.Delay(FilePatience, cancellationToken)).ConfigureAwait(false);
        }
        InstallSteering();
        _ = SayReadyAsync();
    }

    /// <summary>Opens the records file anew, after it was moved away.</summary>
    public void ReopenRecords() => records.JsonFile?.Reopen();

    /// <summary>Drains and stops. Cancelling cuts what is still open.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        stopping = true;
        logger.LogInformation("stopping: {Open} open connections may finish within --drain-time-s {Seconds}", Admission.Open, options.DrainTime.TotalSeconds);
        try
        {
            // What drains follows policy to its end; closed listeners open for nothing that configuration says.
            await listeners.StopAsync(options.DrainTime, cancellationToken).ConfigureAwait(false);
            resources.Dispose();
            keeper?.Flush();
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
        resources.Dispose();
        await discovery.DisposeAsync().ConfigureAwait(false);
        lastGood?.Dispose();
        keeper?.Dispose();
        review?.Dispose();
        overload?.Dispose();
        listeners.Dispose();
        if (admin is not null)
        {
            await admin.DisposeAsync().ConfigureAwait(false);
        }
        records.Dispose();
    }

    // A folder that was asked for must be there; the usual one is a convenience that must not keep a proxy from starting.
    private StateKeeper? KeepState(RunOptions run, BootstrapConfig bootstrap, TimeProvider time)
    {
        if (run.StateDir is "" || run.StateMaxAge == TimeSpan.Zero)
        {
            return null;
        }
        var path = run.StateDir ?? RunOptions.DefaultStateDir;
        try
        {
            return new StateKeeper(StateDirectory.Open(path), bootstrap, run.StateMaxAge, time, LogWarning);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (run.StateDir is not null)
            {
                throw new IOException($"--state-dir {path}: {e.Message}", e);
            }
            LogWarning($"no state is kept on disk, a restart without a control plane will deny everything: {e.Message}; name another folder with --state-dir PATH, or switch it off with --state-dir \"\"");
            return null;
        }
    }

    private async Task SayReadyAsync()
    {
        await resources.Initialized.ConfigureAwait(false);
        if (resources.Policy.Source is FileSourceConfig)
        {
            // A file that says nothing usable must not keep the line back: then everything is denied, and the log has said why.
            await Task.WhenAny(resources.Policy.FirstPair, Task.Delay(PolicyPatience)).ConfigureAwait(false);
        }
        logger.LogInformation("ready");
    }

    private void InstallSteering()
    {
        if (options.Steer.Count == 0)
        {
            if (options.KeepSteering)
            {
                return;
            }
            SteeringSelector.RemoveLeftovers(options.SteeringOptions, LogInfo);
            return;
        }
        var rules = new List<SteeringRule>();
        foreach (var text in options.Steer)
        {
            rules.Add(SteeringRule.Parse(text));
        }
        var chosen = SteeringSelector.Choose(options.Steering, options.SteeringOptions, LogInfo);
        chosen.Claim();
        steering = chosen; // from here on a failed start takes away what it installed
        chosen.Replace(rules);
        logger.LogInformation("steering installed: {Count} rules ({Mode})", rules.Count, chosen.Mode.ToString().ToLowerInvariant());
    }

    private void LogWarning(string line) => logger.LogWarning("{Line}", line);

    private void LogInfo(string line) => logger.LogInformation("{Line}", line);
}
