using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Postern.Tproxy.Steering;

/// <summary>
/// <c>postern-rules VERSION MODE IN-FORCE DRAINING</c>, then so many rules, one a line, in the text form of <see cref="SteeringRule"/>. Strict: rules that are
/// read otherwise than they were meant would keep connections that nobody is to keep. Pure.
/// </summary>
internal static class KnownRulesText
{
    /// <summary>Of each list.</summary>
    internal const int MostRules = 65_536;

    private const string Name = "postern-rules";
    private const string Version = "1";

    internal static string Format(KnownRules rules)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Name} {Version} {Word(rules.Mode)} {rules.InForce.Count} {rules.Draining.Count}\n");
        foreach (var list in (IReadOnlyList<SteeringRule>[])[rules.InForce, rules.Draining])
        {
            foreach (var rule in list)
            {
                text.Append(rule).Append('\n');
            }
        }

        return text.ToString();
    }

    /// <exception cref="FormatException">Says what is odd.</exception>
    internal static KnownRules Parse(string text)
    {
        var lines = text.Split('\n');
        if (lines[0].Split(' ') is not [Name, Version, var mode, var inForce, var draining])
        {
            throw new FormatException($"it does not begin with '{Name} {Version}'");
        }

        var (first, second) = (Count(inForce), Count(draining));
        if (lines.Length != first + second + 2 || lines[^1].Length > 0)
        {
            throw new FormatException("it has not as many lines as its first one tells");
        }

        return new KnownRules(Mode(mode), Rules(lines.AsSpan(1, first)), Rules(lines.AsSpan(1 + first, second)));
    }

    private static string Word(SteeringMode mode) => mode == SteeringMode.Ebpf ? "ebpf" : "iptables";

    private static SteeringMode Mode(string word) => word switch
    {
        "ebpf" => SteeringMode.Ebpf,
        "iptables" => SteeringMode.Iptables,
        _ => throw new FormatException("its mode is neither ebpf nor iptables"),
    };

    private static int Count(string word) =>
        int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= MostRules
            ? count
            : throw new FormatException($"its numbers of rules are not numbers up to {MostRules}");

    private static SteeringRule[] Rules(ReadOnlySpan<string> lines)
    {
        var rules = new SteeringRule[lines.Length];
        for (var i = 0; i < lines.Length; i++)
        {
            try
            {
                rules[i] = SteeringRule.Parse(lines[i]);
            }
            catch (TproxyException error)
            {
                throw new FormatException(error.Message, error);
            }
        }

        return rules;
    }
}
