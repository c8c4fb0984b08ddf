using System;
using System.Collections.Generic;
using System.Linq;
using Postern.Policy.Config;

namespace Postern.Tests.Proxy.Http;

/// <summary>What header_matches does, in the plainest words: over a list of lines "name: value".</summary>
internal sealed class HeaderMatchModel(List<string> lines, string authority, string path)
{
    private readonly HashSet<string> open = [];

    public List<string> Lines { get; private set; } = [.. lines];

    public List<string> Missing { get; } = [];

    public List<string> Rejected { get; } = [];

    /// <summary>A rule without secret names this value itself.</summary>
    public bool SaidOpenly(string name, string value) => open.Contains($"{name}: {value}");

    /// <summary>All rules run; one that accepts is enough.</summary>
    public bool Judge(HttpRuleConfig[] rules)
    {
        var accepted = false;
        foreach (var rule in rules)
        {
            var all = true;
            foreach (var match in rule.HeaderMatches)
            {
                all &= Apply(match);
            }
            accepted |= all;
        }
        return accepted;
    }

    private bool Apply(HeaderMatchConfig match)
    {
        var name = match.Name.ToLowerInvariant();
        var secret = match.ValueSdsSecret.Length > 0;
        var wanted = match.ValueSdsSecret == "token" ? "s3cret" : match.Value;
        if (secret && wanted.Length == 0)
        {
            return false; // not loaded, and nothing in its place
        }
        var values = name == "host" ? [authority] : name == ":path" ? [path] : Lines.Where(line => NameOf(line) == name).Select(ValueOf).ToList();
        var actual = string.Join(',', values);
        var shown = secret ? "[redacted]" : wanted;
        var shownActual = secret ? "[redacted]" : actual;
        if (!secret)
        {
            open.Add($"{name}: {wanted}");
        }
        if (values.Count > 0 && (wanted.Length == 0 || actual == wanted))
        {
            if (match.MatchAction != MatchAction.ContinueOnMatch)
            {
                Note(Rejected, name, shown);
            }
            if (match.MatchAction == MatchAction.DeleteOnMatch)
            {
                Remove(name);
            }
            return match.MatchAction != MatchAction.FailOnMatch;
        }
        if (match.MismatchAction is MismatchAction.DeleteOnMismatch or MismatchAction.ReplaceOnMismatch && values.Count > 0)
        {
            Note(Rejected, name, shownActual);
        }
        if (match.MismatchAction != MismatchAction.DeleteOnMismatch)
        {
            Note(Missing, name, shown);
        }
        switch (match.MismatchAction)
        {
            case MismatchAction.AddOnMismatch:
                Lines.Add($"{name}: {wanted}");
                break;
            case MismatchAction.DeleteOnMismatch:
                Remove(name);
                break;
            case MismatchAction.ReplaceOnMismatch:
                var first = Lines.FindIndex(line => NameOf(line) == name);
                var spelled = first < 0 ? name : Lines[first][..name.Length];
                Remove(name);
                Lines.Insert(first < 0 ? Lines.Count : first, $"{spelled}: {wanted}");
                break;
        }
        return match.MismatchAction != MismatchAction.FailOnMismatch;
    }

    private static string NameOf(string line) => line[..line.IndexOf(':', StringComparison.Ordinal)].ToLowerInvariant();

    private static string ValueOf(string line) => line[(line.IndexOf(':', StringComparison.Ordinal) + 2)..];

    private void Remove(string name) => Lines.RemoveAll(line => NameOf(line) == name);

    private static void Note(List<string> list, string name, string value)
    {
        if (!list.Contains($"{name}: {value}"))
        {
            list.Add($"{name}: {value}");
        }
    }
}
