using System;
using System.Linq;
using Cilium;
using Envoy.Config.Route.V3;
using Envoy.Type.Matcher.V3;
using Postern.Agent.Model;
using static Cilium.HeaderMatch.Types;

namespace Postern.Agent.Compile;

/// <summary>rules.http → <c>cilium.HttpNetworkPolicyRules</c>. Expressions are full matches; fields of one rule all hold.</summary>
internal static class HttpRuleCompiler
{
    /// <summary>Sorted, so that the order in YAML has no effect.</summary>
    public static HttpNetworkPolicyRules Build(System.Collections.Generic.IEnumerable<HttpRule> rules)
    {
        var built = new HttpNetworkPolicyRules();
        built.HttpRules.AddRange(rules
            .OrderBy(rule => rule.Path, StringComparer.Ordinal)
            .ThenBy(rule => rule.Method, StringComparer.Ordinal)
            .ThenBy(rule => rule.Host, StringComparer.Ordinal)
            .ThenBy(rule => Build(rule).ToString(), StringComparer.Ordinal)
            .Select(Build)
            .Distinct());
        return built;
    }

    private static HttpNetworkPolicyRule Build(HttpRule rule)
    {
        var built = new HttpNetworkPolicyRule();
        foreach (var (name, expression) in new[] { (":path", rule.Path), (":method", rule.Method), (":authority", rule.Host) })
        {
            if (expression.Length > 0)
            {
                built.Headers.Add(new HeaderMatcher { Name = name, StringMatch = new StringMatcher { SafeRegex = new RegexMatcher { Regex = expression } } });
            }
        }
        foreach (var header in rule.Headers.Select(Split).OrderBy(header => header.Name, StringComparer.Ordinal).ThenBy(header => header.Value, StringComparer.Ordinal))
        {
            built.Headers.Add(Plain(header.Name, header.Value));
        }
        foreach (var match in rule.HeaderMatches.OrderBy(match => match.Name, StringComparer.Ordinal).ThenBy(match => match.ToString(), StringComparer.Ordinal))
        {
            if (match is { Mismatch: HeaderMismatch.Fail, Secret: null })
            {
                built.Headers.Add(Plain(match.Name, match.Value));
            }
            else
            {
                built.HeaderMatches.Add(new HeaderMatch
                {
                    Name = match.Name,
                    Value = match.Secret is null ? match.Value : "",
                    ValueSdsSecret = match.Secret is null ? "" : SecretCompiler.NameOf(match.Secret),
                    MismatchAction = Action(match.Mismatch),
                });
            }
        }
        return built;
    }

    // Without a value the header only has to be there.
    private static HeaderMatcher Plain(string name, string value) => value.Length == 0
        ? new HeaderMatcher { Name = name, PresentMatch = true }
        : new HeaderMatcher { Name = name, StringMatch = new StringMatcher { Exact = value } };

    // "X-Key: value": at the first space; a colon at the end of the name goes.
    private static (string Name, string Value) Split(string header)
    {
        var space = header.IndexOf(' ', StringComparison.Ordinal);
        var name = space < 0 ? header : header[..space];
        return (name.EndsWith(':') ? name[..^1] : name, space < 0 ? "" : header[(space + 1)..]);
    }

    private static MismatchAction Action(HeaderMismatch mismatch) => mismatch switch
    {
        HeaderMismatch.Log => MismatchAction.ContinueOnMismatch,
        HeaderMismatch.Add => MismatchAction.AddOnMismatch,
        HeaderMismatch.Delete => MismatchAction.DeleteOnMismatch,
        HeaderMismatch.Replace => MismatchAction.ReplaceOnMismatch,
        _ => MismatchAction.FailOnMismatch,
    };
}
