using System;
using System.Collections.Generic;
using Microsoft.Extensions.Logging;
using Postern.Agent.Runtime;
using Postern.Agent.Serve;
using Postern.Agent.Supervise;
using Postern.Tproxy;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Steer;

/// <summary>Owned by the main loop: decides whether rules may stand now, and changes them only when they differ.</summary>
internal sealed class SteeringGate(INodeSteering steering, WhileProxyDown whileDown, TimeProvider time, ILogger logger)
{
    private bool running;
    private bool spoken; // this proxy has ACKed or refused something
    private SteeringStatus status = new();

    public void ProxyIs(ProxyState state)
    {
        running = state is ProxyState.Running or ProxyState.Stopping;
        spoken &= running;
    }

    public void ProxySaid(AckOutcome outcome) => spoken |= running && outcome != AckOutcome.TimedOut;

    /// <summary>Brings the rules in force in line with what is planned.</summary>
    public SteeringStatus Apply(IReadOnlyList<SteeringRule> planned)
    {
        // Deny: rules stand whatever the proxy does, and TPROXY drops what nobody listens for. A refusal is no reason to let traffic by either.
        var wanted = whileDown == WhileProxyDown.Deny || (running && spoken) ? Distinct(planned) : [];
        if (status.Error.Length == 0 && status.Installed && Same(wanted, status.Rules))
        {
            return status;
        }
        try
        {
            steering.Replace(wanted);
            logger.LogInformation("steering: {Count} rules in force ({Mode})", wanted.Count, steering.Mode);
            status = new SteeringStatus { Rules = wanted, Installed = true, ChangedAt = time.GetUtcNow() };
        }
        catch (TproxyException error)
        {
            logger.LogError("steering could not be changed, the rules before it stay: {Reason}", error.Message);
            status = status with { Error = error.Message };
        }
        return status;
    }

    /// <summary>The last step of a stop.</summary>
    public SteeringStatus Remove()
    {
        try
        {
            steering.Remove();
            logger.LogInformation("steering removed");
            status = new SteeringStatus { ChangedAt = time.GetUtcNow() };
        }
        catch (TproxyException error)
        {
            logger.LogError("steering could not be removed wholly; the next start removes the rest: {Reason}", error.Message);
            status = status with { Error = error.Message };
        }
        return status;
    }

    private static List<SteeringRule> Distinct(IReadOnlyList<SteeringRule> rules)
    {
        var seen = new HashSet<SteeringRule>();
        var distinct = new List<SteeringRule>(rules.Count);
        foreach (var rule in rules)
        {
            if (seen.Add(rule))
            {
                distinct.Add(rule);
            }
        }
        return distinct;
    }

    private static bool Same(List<SteeringRule> left, IReadOnlyList<SteeringRule> right)
    {
        if (left.Count != right.Count)
        {
            return false;
        }
        for (var i = 0; i < left.Count; i++)
        {
            if (left[i] != right[i])
            {
                return false;
            }
        }
        return true;
    }
}
