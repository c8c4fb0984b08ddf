using System.Collections.Generic;

namespace Postern.Agent.Api;

/// <summary>Answer of <c>POST /v1/policy/trace</c>.</summary>
/// <param name="Verdict">allowed or denied.</param>
/// <param name="From">Who asks.</param>
/// <param name="To">Who is asked.</param>
/// <param name="Port">TCP port.</param>
/// <param name="Egress">Judgement at the source; null when it is no endpoint of this node.</param>
/// <param name="Ingress">Judgement at the destination; null when it is no endpoint of this node.</param>
/// <param name="Lines">The same for people.</param>
public sealed record TraceView(
    string Verdict, TracePartyView From, TracePartyView To, ushort Port, TraceSideView? Egress, TraceSideView? Ingress, IReadOnlyList<string> Lines);

/// <summary>One end.</summary>
public sealed record TracePartyView(string Name, uint Identity);

/// <summary>Judgement of one endpoint's policy; not steered traffic is not judged.</summary>
public sealed record TraceSideView(bool IsSteered, bool IsAllowed, string Reason, IReadOnlyList<TraceRuleView> Rules);

/// <summary>A rule that decided.</summary>
public sealed record TraceRuleView(string Policy, string Place, string Source);
