using System;
using System.Collections.Generic;
using System.Globalization;
using Postern.Agent.Supervise;

namespace Postern.Agent.Doctor.Checks;

/// <summary>Agent and proxy, as the agent tells.</summary>
public sealed class ProxyCheck : INodeCheck
{
    private static readonly FindingKind Fine = new("proxy.fine", FindingLevel.Ok, "the proxy runs and enforces what the folder says");
    private static readonly FindingKind NoAgent = new("proxy.no-agent", FindingLevel.Warning, "no agent answers: rules, endpoints and policies are known from the kernel only", "systemctl start postern-agent, or name its socket with --api-socket PATH");
    private static readonly FindingKind Down = new("proxy.down", FindingLevel.Failure, "nobody takes what is steered: it is dropped, or with --while-proxy-down allow not steered", "postern-agent status: last exit and last lines; the proxy's log");
    private static readonly FindingKind Nack = new("proxy.nack", FindingLevel.Failure, "the proxy refuses a change: what was in force before stays", "mend the resource that the text names");
    private static readonly FindingKind NotEnforced = new("proxy.not-enforced", FindingLevel.Warning, "the folder's last change is not in force yet", "postern-agent status; if it stays so, the proxy's log");
    private static readonly FindingKind Problem = new("proxy.folder-problem", FindingLevel.Warning, "the folder has errors; what it said before stays in force", "mend FILE:LINE as named; postern-agent policy validate --dir FOLDER");
    private static readonly FindingKind Steering = new("proxy.steering-error", FindingLevel.Failure, "the agent could not change the steering: rules before it stay", "mend what the text names; the agent tries again every 5 s");

    public IReadOnlyList<FindingKind> Kinds => [Fine, NoAgent, Down, Nack, NotEnforced, Problem, Steering];

    public IEnumerable<Finding> Check(NodeFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (facts.Agent.Status is not { } status)
        {
            yield return NoAgent.At(facts.Agent.Socket, facts.Agent.Fault);
            yield break;
        }
        var bad = false;
        if (status.Proxy.State != ProxyState.Running)
        {
            bad = true;
            yield return Down.At("proxy", $"{status.Proxy.State.ToString().ToLowerInvariant()} {status.Proxy.LastExit}".TrimEnd());
        }
        foreach (var stream in status.Streams)
        {
            // A NACK that a later answer made good is history.
            if (stream.LastNack.Length > 0 && stream.Acked < stream.Sent)
            {
                bad = true;
                yield return Nack.At(stream.Type, stream.LastNack.ReplaceLineEndings(" "));
            }
        }
        if (status.Policy.Revision != status.Policy.EnforcedRevision || status.Policy.Revision == 0)
        {
            bad = true;
            yield return NotEnforced.At("policy", string.Create(CultureInfo.InvariantCulture, $"revision {status.Policy.Revision}, enforced {status.Policy.EnforcedRevision}: {status.Policy.State} {status.Policy.Detail}").TrimEnd());
        }
        foreach (var problem in status.Problems)
        {
            bad = true;
            yield return Problem.At(status.Folder, problem);
        }
        if (status.Steering.Error.Length > 0)
        {
            bad = true;
            yield return Steering.At("steering", status.Steering.Error);
        }
        if (!bad)
        {
            yield return Fine.At("proxy", string.Create(CultureInfo.InvariantCulture, $"pid {status.Proxy.Pid}, policy revision {status.Policy.Revision}, steering {status.Steering.Mode}"));
        }
    }
}
