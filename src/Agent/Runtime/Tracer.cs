using System;
using System.Collections.Generic;
using Postern.Agent.Api;
using Postern.Agent.Compile;
using Postern.Agent.Trace;

namespace Postern.Agent.Runtime;

/// <summary>Asks the policy trace what people ask on the command line.</summary>
internal static class Tracer
{
    /// <exception cref="TraceException">The question makes no sense.</exception>
    public static TraceView Trace(CompiledNode node, TraceQuestion question)
    {
        var request = question.Http is { } text
            ? TraceRequest.Parse(text, string.Empty, Headers(question.Headers)) ?? throw new TraceException($"--http: '{text}' is not a request such as \"GET /x\"")
            : question.Headers.Count > 0 ? throw new TraceException("--header belongs to a request; add --http \"GET /x\"") : null;
        var result = PolicyTrace.Run(node, question.From, question.To, question.Port, request, out var problem) ?? throw new TraceException(problem);
        return new TraceView(
            result.IsAllowed ? "allowed" : "denied",
            new TracePartyView(result.From.Text, result.From.Identity),
            new TracePartyView(result.To.Text, result.To.Identity),
            result.Port,
            Side(result.Egress),
            Side(result.Ingress),
            result.ToLines());
    }

    private static TraceSideView? Side(TraceSide? side)
    {
        if (side is null)
        {
            return null;
        }
        var rules = new List<TraceRuleView>();
        foreach (var rule in side.Rules)
        {
            rules.Add(new TraceRuleView(rule.Policy.ToString(), rule.Place, rule.Source.ToString()));
        }
        return new TraceSideView(side.IsSteered, side.IsAllowed, side.Verdict.Reason.ToString(), rules);
    }

    private static List<KeyValuePair<string, string>> Headers(IReadOnlyList<string> lines)
    {
        var headers = new List<KeyValuePair<string, string>>();
        foreach (var line in lines)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 1)
            {
                throw new TraceException($"--header: '{line}' is not \"name: value\"");
            }
            headers.Add(KeyValuePair.Create(line[..colon].Trim().ToLowerInvariant(), line[(colon + 1)..].Trim()));
        }
        return headers;
    }
}
