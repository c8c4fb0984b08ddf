using System;
using System.Collections.Generic;
using System.Text.Json;
using System.Text.Json.Nodes;
using Postern.Policy;

namespace Postern.Proxy.PolicyTest;

/// <summary>
/// Kinds sni_pattern and sni_pattern_invalid: patterns of server_names on their own. Names to try stand in <c>requests</c> or <c>lookups</c>
/// (<c>sni</c> or <c>name</c> with <c>expect</c>), or in the lists <c>matches</c>/<c>match</c> and <c>non_matches</c>/<c>no_match</c>.
/// Several patterns match when one does, as in a rule.
/// </summary>
internal static class SniPatternCase
{
    private static readonly string[] MatchLists = ["matches", "match", "expect_match", "expect_matches"];
    private static readonly string[] MismatchLists = ["non_matches", "no_match", "no_matches", "non_match", "mismatches", "expect_no_match", "expect_non_matches"];

    public static void Run(JsonElement @case, CaseReport report, bool invalid)
    {
        var texts = Strings(@case, ["pattern", "patterns", "sni_pattern", "sni_patterns", "server_names", "invalid_patterns", "valid_patterns"]);
        var checks = 0;
        foreach (var item in RequestPatterns(@case))
        {
            texts.Add(item);
        }
        if (texts.Count == 0)
        {
            throw new CaseFormatException("no 'pattern' or 'patterns', and no 'policy' with server_names: nothing to test");
        }
        var patterns = new List<SniPattern>();
        var wantsReject = invalid || CaseJson.Text(@case, "update_expect") == "reject" || CaseJson.Flag(@case, "valid") == false
            || CaseJson.Flag(@case, "expect_valid") == false;
        var wanted = CaseJson.Text(@case, "reject_error") ?? CaseJson.Text(@case, "expect_error");
        var substring = CaseJson.Text(@case, "reject_error_match") == "substring";
        foreach (var text in texts)
        {
            string? error = null;
            try
            {
                patterns.Add(SniPattern.Parse(text));
            }
            catch (PolicyConfigException refusal)
            {
                error = refusal.Message;
            }
            var failures = new List<string>();
            if (wantsReject != error is not null)
            {
                failures.Add(wantsReject ? $"'{text}' was expected to be refused" : $"'{text}' was expected to be a pattern");
            }
            // One expected text speaks about one pattern; of several, about the one it names.
            var concerned = texts.Count == 1 || (wanted?.Contains(text, StringComparison.Ordinal) ?? false);
            if (wanted is not null && concerned && error is not null && !(substring ? error.Contains(wanted, StringComparison.Ordinal) : error == wanted))
            {
                failures.Add($"reject_error: expected '{wanted}'");
            }
            checks++;
            report.Update(error, failures);
        }
        if (!wantsReject)
        {
            checks += Names(@case, report, patterns) - 1;
        }
        if (checks < 1)
        {
            throw new CaseFormatException("no names to match: give 'requests' with sni and expect, or 'matches' and 'non_matches'");
        }
    }

    private static IEnumerable<string> RequestPatterns(JsonElement @case)
    {
        foreach (var request in CaseJson.Items(@case, "requests"))
        {
            if (request.ValueKind == JsonValueKind.Object && CaseJson.Text(request, "pattern") is { } pattern)
            {
                yield return pattern;
            }
        }
    }

    private static int Names(JsonElement @case, CaseReport report, List<SniPattern> patterns)
    {
        var index = 0;
        foreach (var list in new[] { "requests", "lookups", "checks" })
        {
            foreach (var request in CaseJson.Items(@case, list))
            {
                var name = CaseJson.Text(request, "sni") ?? CaseJson.Text(request, "name") ?? CaseJson.Text(request, "server_name") ?? CaseJson.Text(request, "input")
                    ?? throw new CaseFormatException($"{list}[{index}]: 'sni' is missing");
                var own = CaseJson.Text(request, "pattern");
                Check(report, own is null ? patterns : [SniPattern.Parse(own)], index++, name, Expectation(request));
            }
        }
        foreach (var (lists, expected) in new[] { (MatchLists, true), (MismatchLists, false) })
        {
            foreach (var name in Strings(@case, lists))
            {
                Check(report, patterns, index++, name, expected);
            }
        }
        return index;
    }

    private static void Check(CaseReport report, List<SniPattern> patterns, int index, string name, bool? expected)
    {
        var matches = patterns.Exists(pattern => pattern.Matches(name));
        var verdict = matches ? "allow" : "deny";
        var line = new JsonObject
        {
            ["case"] = report.Case,
            ["request"] = index,
            ["sni"] = name,
            ["network"] = matches ? "ALLOW" : "DENY",
            ["http"] = null,
            ["verdict"] = verdict,
            ["expected"] = expected is null ? null : expected.Value ? "allow" : "deny",
            ["ok"] = expected is null ? null : expected == matches,
        };
        report.Write(line, expected is not null && expected != matches ? [$"expect: '{name}' was expected {(expected.Value ? "to match" : "not to match")}"] : []);
    }

    private static bool? Expectation(JsonElement request)
    {
        foreach (var name in new[] { "expect", "expected", "expect_match", "matches", "match" })
        {
            if (CaseJson.Field(request, name) is not { } value)
            {
                continue;
            }
            return value.ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                JsonValueKind.String => value.GetString()!.ToLowerInvariant() switch
                {
                    "allow" or "match" or "matches" or "true" or "yes" => true,
                    "deny" or "no match" or "no_match" or "nomatch" or "no-match" or "mismatch" or "non_match" or "false" or "no" => false,
                    var other => throw new CaseFormatException($"'{name}': '{other}' is neither match nor no match"),
                },
                _ => throw new CaseFormatException($"'{name}' must be match, no match, true or false"),
            };
        }
        return null;
    }

    private static List<string> Strings(JsonElement @case, string[] names)
    {
        var result = new List<string>();
        foreach (var name in names)
        {
            switch (CaseJson.Field(@case, name))
            {
                case { ValueKind: JsonValueKind.String } text:
                    result.Add(text.GetString()!);
                    break;
                case { ValueKind: JsonValueKind.Array } list:
                    foreach (var item in list.EnumerateArray())
                    {
                        if (item.ValueKind == JsonValueKind.String)
                        {
                            result.Add(item.GetString()!);
                        }
                    }
                    break;
            }
        }
        return result;
    }
}
