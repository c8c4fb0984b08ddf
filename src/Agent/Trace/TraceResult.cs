using System.Collections.Generic;
using System.Linq;
using Postern.Agent.Compile;
using Postern.Policy;

namespace Postern.Agent.Trace;

/// <summary>What would happen to a connection, or to a request on it.</summary>
/// <param name="From">Who connects.</param>
/// <param name="To">To whom.</param>
/// <param name="Port">TCP port.</param>
/// <param name="Egress">Judgement at the source; null when it is no endpoint of this node.</param>
/// <param name="Ingress">Judgement at the destination; null when it is no endpoint of this node.</param>
public sealed record TraceResult(TraceParty From, TraceParty To, ushort Port, TraceSide? Egress, TraceSide? Ingress)
{
    /// <summary>Whether both sides allow it.</summary>
    public bool IsAllowed => (Egress?.IsAllowed ?? true) && (Ingress?.IsAllowed ?? true);

    /// <summary>For people.</summary>
    public IReadOnlyList<string> ToLines() =>
    [
        $"from {From.Text} (identity {From.Identity}) to {To.Text} (identity {To.Identity}) port {Port}/TCP",
        .. Lines("egress of " + From.Text, Egress),
        .. Lines("ingress of " + To.Text, Ingress),
        $"verdict: {(IsAllowed ? "ALLOWED" : "DENIED")}",
    ];

    private static IEnumerable<string> Lines(string title, TraceSide? side)
    {
        if (side is null)
        {
            return [$"  {title}: no endpoint of this node, not judged here"];
        }
        var what = !side.IsSteered ? "not enforced, not looked at"
            : side.IsAllowed ? side.Rules.Count == 0 ? "allowed, no rule stands against it" : "allowed by"
            : side.Verdict.Decision == PolicyDecision.Deny ? "denied by"
            : $"denied, {side.Verdict.Reason}" + (side.Rules.Count > 0 ? "; these rules are about this peer and port" : "");
        return [$"  {title}: {what}", .. side.Rules.Select(rule => $"    {rule.Policy} {rule.Place} ({rule.Source})")];
    }
}

/// <summary>Judgement of one endpoint's policy.</summary>
/// <param name="IsSteered">Whether the traffic comes to the proxy at all.</param>
/// <param name="Verdict">The engine's; allowed when the traffic does not come to it.</param>
/// <param name="Rules">Those that decided; when nothing allowed it, those about this peer and port.</param>
public sealed record TraceSide(bool IsSteered, PolicyVerdict Verdict, IReadOnlyList<RuleOrigin> Rules)
{
    /// <summary>Whether it goes on.</summary>
    public bool IsAllowed => Verdict.IsAllowed;
}
