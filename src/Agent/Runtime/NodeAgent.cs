using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Postern.Agent.Compile;
using Postern.Agent.Serve;
using Postern.Agent.Steer;
using Postern.Agent.Supervise;
using Postern.Tproxy;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Runtime;

/// <summary>
/// The main loop: one task owns all state and takes events one by one.
///
/// A change: 1. the folder is read and compiled; 2. rules are added for what no rule caught and policy now speaks about; 3. resources are published,
/// what rules in force lead to stays; 4. the proxy ACKs; 5. rules are replaced; 6. listeners that no rule leads to any more go, and once that is ACKed
/// their ports are free. A start is a change, too: nothing that policy speaks about passes by a proxy that is not there yet.
/// A stop: 1. the proxy drains and ends; 2. the rules go, last, so that no packet passes around policy while the proxy still runs.
/// In doubt the rules stand: traffic for a listener that was refused or a proxy that is down is dropped, not passed.
/// </summary>
public sealed class NodeAgent
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(5);

    private readonly INodeSource source;
    private readonly INodeServing serving;
    private readonly INodeSteering steering;
    private readonly ProxySupervisor supervisor;
    private readonly SteeringGate gate;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Channel<AgentEvent> events = Channel.CreateUnbounded<AgentEvent>(new UnboundedChannelOptions { SingleReader = true });
    private volatile AgentSnapshot snapshot;
    private CancellationTokenSource? rolling;
    private bool dirty;
    private ServedNode? last;
    private ServedNode? enforced;

    /// <param name="source">The folder.</param>
    /// <param name="serving">The way to the proxy.</param>
    /// <param name="steering">The rules.</param>
    /// <param name="makeSupervisor">Gets the callback for the proxy's changes.</param>
    /// <param name="whileDown">Deny or allow.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">For the operator.</param>
    public NodeAgent(
        INodeSource source,
        INodeServing serving,
        INodeSteering steering,
        Func<Action<ProxyStatus>, ProxySupervisor> makeSupervisor,
        WhileProxyDown whileDown,
        TimeProvider time,
        ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(makeSupervisor);
        this.source = source;
        this.serving = serving;
        this.steering = steering;
        this.time = time;
        this.logger = logger;
        gate = new SteeringGate(steering, whileDown, time, logger);
        supervisor = makeSupervisor(status => events.Writer.TryWrite(new AgentEvent.ProxyChanged(status)));
        snapshot = new AgentSnapshot { Started = time.GetUtcNow() };
    }

    /// <summary>As it is now; from any thread.</summary>
    public AgentSnapshot Snapshot => snapshot;

    /// <summary>Says that files may have changed; from any thread.</summary>
    public void FolderChanged() => events.Writer.TryWrite(new AgentEvent.FolderChanged());

    /// <summary>Runs until <paramref name="stop"/>, then stops everything in order.</summary>
    /// <param name="stop">Ends it.</param>
    /// <param name="hurry">The proxy is not waited for any more.</param>
    /// <exception cref="TproxyException">The steering cannot be had; nothing was started.</exception>
    public async Task RunAsync(CancellationToken stop, CancellationToken hurry)
    {
        // Before the proxy starts: it takes away rules that nobody owns.
        steering.Claim();
        Load();
        using var stopProxy = new CancellationTokenSource();
        var supervision = supervisor.RunAsync(stopProxy.Token, hurry);
        try
        {
            await foreach (var next in events.Reader.ReadAllAsync(stop).ConfigureAwait(false))
            {
                Handle(next, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            logger.LogInformation("stopping: the proxy first, the rules last");
        }
        finally
        {
            await stopProxy.CancelAsync().ConfigureAwait(false);
            await supervision.ConfigureAwait(false);
            if (rolling is not null)
            {
                await rolling.CancelAsync().ConfigureAwait(false);
            }
        }
        snapshot = snapshot with { Proxy = supervisor.Status, Steering = gate.Remove() };
    }

    private void Handle(AgentEvent next, CancellationToken stop)
    {
        switch (next)
        {
            case AgentEvent.FolderChanged:
                Load();
                break;
            case AgentEvent.ProxyChanged { Status: var status }:
                OnProxy(status);
                break;
            case AgentEvent.RolloutEnded { Served: var served }:
                OnRollout(served);
                break;
            case AgentEvent.Retry:
                Steer();
                break;
        }
        if (dirty && rolling is null && snapshot.HasNode)
        {
            dirty = false;
            rolling = CancellationTokenSource.CreateLinkedTokenSource(stop);
            _ = RolloutAsync(snapshot.Node, snapshot.Revision, rolling.Token);
        }
    }

    private void Load()
    {
        if (Read() is not { } reading)
        {
            return;
        }
        foreach (var problem in reading.Problems)
        {
            if (!Contains(snapshot.Problems, problem))
            {
                logger.LogError("{Problem}", problem);
            }
        }
        snapshot = snapshot with { Problems = reading.Problems };
        if (reading.Node is not { } node)
        {
            logger.LogError("nothing is changed before the folder was free of problems once: {Count} problems", reading.Problems.Count);
            return;
        }
        if (snapshot.HasNode && ReferenceEquals(node, snapshot.Node))
        {
            return;
        }
        foreach (var warning in node.Warnings)
        {
            if (!Contains(snapshot.Node.Warnings, warning))
            {
                logger.LogWarning("{Warning}", warning);
            }
        }
        snapshot = snapshot with { Node = node, HasNode = true, Policies = reading.Policies, Revision = snapshot.Revision + 1, Outcome = null, OutcomeDetail = string.Empty };
        logger.LogInformation("revision {Revision}: {Endpoints} endpoints, {Identities} identities", snapshot.Revision, node.Endpoints.Count, node.Identities.Count);
        dirty = true;
        Hold();
        // Nobody needs the proxy's word to what is out of date; what it holds of it is replaced by the next.
        rolling?.Cancel();
    }

    private NodeReading? Read()
    {
        try
        {
            return source.Read();
        }
        catch (Exception e) when (snapshot.HasNode)
        {
            logger.LogCritical(e, "the folder could not be read, what was in force stays; this is a bug");
            return null;
        }
    }

    private void Hold()
    {
        var standing = new HashSet<SteeringRule>();
        foreach (var rule in snapshot.Steering.Rules)
        {
            standing.Add(rule with { ProxyPort = 0 });
        }
        foreach (var rule in SteeringPlan.Hold(snapshot.Node, serving.PortOf))
        {
            if (!standing.Contains(rule with { ProxyPort = 0 }))
            {
                Steer();
                return;
            }
        }
    }

    private void OnProxy(ProxyStatus status)
    {
        var came = status.State == ProxyState.Running && snapshot.Proxy.State != ProxyState.Running;
        snapshot = snapshot with { Proxy = status };
        gate.ProxyIs(status.State);
        Steer();
        // A proxy that is new has ACKed nothing; and what the one before refused or did not answer is asked again.
        dirty |= came;
    }

    private async Task RolloutAsync(CompiledNode node, long revision, CancellationToken cancellationToken)
    {
        ServedNode? served = null;
        try
        {
            served = new ServedNode(node, revision, await serving.ServeAsync(node, cancellationToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // Out of date, or the agent stops.
        }
        catch (Exception e)
        {
            logger.LogCritical(e, "publishing failed; this is a bug");
            served = new ServedNode(node, revision, new ServingResult(AckOutcome.Nacked, e.Message, static _ => null));
        }
        events.Writer.TryWrite(new AgentEvent.RolloutEnded(served));
    }

    private void OnRollout(ServedNode? served)
    {
        rolling?.Dispose();
        rolling = null;
        if (served is not { Result: var result } || (served.Revision != snapshot.Revision && result.Outcome != AckOutcome.Acked))
        {
            return; // a newer one is on its way
        }
        last = served;
        if (snapshot.Outcome != result.Outcome || snapshot.OutcomeDetail != result.Detail)
        {
            Tell(served.Revision, result);
        }
        if (served.Revision == snapshot.Revision)
        {
            snapshot = snapshot with { Outcome = result.Outcome, OutcomeDetail = result.Detail };
        }
        gate.ProxySaid(result.Outcome);
        Steer();
        dirty |= result.Outcome == AckOutcome.TimedOut; // the word may still come
    }

    private void Steer()
    {
        if (!snapshot.HasNode)
        {
            return;
        }
        var isAcked = last?.Result.Outcome == AckOutcome.Acked;
        var status = gate.Apply(Plan(isAcked));
        snapshot = snapshot with { Steering = status, PortOf = last?.Result.PortOf ?? serving.PortOf };
        if (status.Error.Length > 0)
        {
            _ = RetryLaterAsync();
            return;
        }
        if (isAcked && !ReferenceEquals(enforced, last))
        {
            enforced = last;
            dirty |= serving.Retire();
            snapshot = snapshot with { EnforcedRevision = last!.Revision };
        }
    }

    private List<SteeringRule> Plan(bool isAcked)
    {
        // A packet goes by the first rule that matches it: what is in force goes on as it was while the next is on its way.
        List<SteeringRule> rules = [.. SteeringPlan.Block(snapshot.Node.Blocked), .. last?.Plan() ?? []];
        if (!isAcked && enforced is not null)
        {
            rules.AddRange(enforced.Plan());
        }
        if (last?.Revision != snapshot.Revision)
        {
            rules.AddRange(SteeringPlan.Hold(snapshot.Node, serving.PortOf));
        }
        return rules;
    }

    private async Task RetryLaterAsync()
    {
        await Task.Delay(RetryPause, time).ConfigureAwait(false);
        events.Writer.TryWrite(new AgentEvent.Retry());
    }

    private void Tell(long revision, ServingResult result)
    {
        switch (result.Outcome)
        {
            case AckOutcome.Acked:
                logger.LogInformation("revision {Revision} is in force", revision);
                break;
            case AckOutcome.Nacked:
                logger.LogError("revision {Revision} was refused by the proxy, which keeps what it had; rules are installed all the same, so that nothing passes unjudged: {Detail}", revision, result.Detail);
                break;
            default:
                logger.LogWarning("revision {Revision}: no word from the proxy ({Detail}); waiting on", revision, result.Detail);
                break;
        }
    }

    private static bool Contains(IReadOnlyList<string> lines, string line)
    {
        foreach (var other in lines)
        {
            if (string.Equals(other, line, StringComparison.Ordinal))
            {
                return true;
            }
        }
        return false;
    }
}
