using System;
using System.Collections.Generic;
using System.Linq;
using Postern.Policy.Config;

namespace Postern.Policy.Compile;

/// <summary>
/// Cuts overlapping port entries into disjoint ranges, each with the rules of every entry that covers it.
/// An entry for one port puts its rules in front of what the piece has, one after another, so they end up reversed; a range puts them at
/// the back. An empty list means "allow all": when it meets rules it turns into an explicit allow rule, or it would be lost. The
/// wildcard port 0 is a piece of its own; in the end its rules are appended to every other piece. Then each piece is sorted.
/// </summary>
internal sealed class PortRangeCutter
{
    /// <summary>Bound on rule references per direction: entries that all overlap need entries² of them.</summary>
    public const int MaxRuleReferences = 4_000_000;

    private readonly List<Piece> pieces = []; // by start; the wildcard is not among them
    private RuleEntry[]? wildcard;
    private long references;

    public readonly record struct Piece(ushort Start, ushort End, RuleEntry[] Rules);

    /// <summary>Adds an entry. Its protocol is TCP.</summary>
    /// <exception cref="PolicyConfigException">The range is invalid.</exception>
    public void Add(PortNetworkPolicyConfig entry, RuleEntry[] rules)
    {
        if (entry.EndPort != 0 && entry.EndPort < entry.Port)
        {
            throw new PolicyConfigException($"PortNetworkPolicy: Invalid port range, end port is less than start port {entry.Port}-{entry.EndPort}");
        }
        if (entry.Port == 0)
        {
            if (entry.EndPort > 0)
            {
                throw new PolicyConfigException($"PortNetworkPolicy: Invalid port range including the wildcard zero port 0-{entry.EndPort}");
            }
            wildcard = wildcard is null ? Reversed(rules) : Merge(wildcard, rules, exact: true);
            return;
        }
        var start = (ushort)entry.Port;
        var end = entry.EndPort == 0 ? start : (ushort)entry.EndPort;
        Cover(start, end, rules);
    }

    /// <summary>The pieces, sorted by port, and the wildcard piece (0–0) in front if there is one. Pieces of pass rules only are left out.</summary>
    /// <exception cref="PolicyConfigException">Pass rules contradict each other.</exception>
    public List<Piece> Finish()
    {
        var result = new List<Piece>(pieces.Count + 1);
        if (wildcard is not null)
        {
            Keep(result, new Piece(0, 0, wildcard));
        }
        foreach (var piece in pieces)
        {
            Keep(result, wildcard is null ? piece : piece with { Rules = Merge(piece.Rules, wildcard, exact: false) });
        }
        return result;
    }

    private void Cover(ushort start, ushort end, RuleEntry[] rules)
    {
        var exact = start == end;
        var fresh = exact ? Reversed(rules) : rules;
        var at = FirstEndingAtOrAfter(start);
        int next = start; // first port not yet dealt with
        while (next <= end)
        {
            if (at >= pieces.Count || pieces[at].Start > end)
            {
                pieces.Insert(at, new Piece((ushort)next, end, fresh));
                return;
            }
            var piece = pieces[at];
            if (piece.Start > next)
            {
                pieces.Insert(at, new Piece((ushort)next, (ushort)(piece.Start - 1), fresh));
                next = piece.Start;
                at++;
                continue;
            }
            if (piece.Start < next)
            {
                pieces[at] = piece with { End = (ushort)(next - 1) };
                pieces.Insert(++at, piece with { Start = (ushort)next });
                continue;
            }
            if (piece.End > end)
            {
                pieces.Insert(at + 1, piece with { Start = (ushort)(end + 1) });
                piece = piece with { End = end };
            }
            pieces[at] = piece with { Rules = Merge(piece.Rules, rules, exact) };
            next = piece.End + 1;
            at++;
        }
    }

    private int FirstEndingAtOrAfter(ushort port)
    {
        int low = 0, high = pieces.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (pieces[middle].End < port)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low;
    }

    private RuleEntry[] Merge(RuleEntry[] present, RuleEntry[] added, bool exact)
    {
        if (present.Length == 0 && added.Length == 0)
        {
            return present;
        }
        if (present.Length == 0)
        {
            present = [RuleEntry.DefaultAllow];
        }
        else if (added.Length == 0)
        {
            added = [RuleEntry.DefaultAllow];
        }
        references += present.Length + added.Length;
        if (references > MaxRuleReferences)
        {
            throw new FieldException($"overlapping port entries multiply to more than {MaxRuleReferences} rules; use fewer or disjoint port ranges");
        }
        return exact ? [.. Reversed(added), .. present] : [.. present, .. added];
    }

    private static RuleEntry[] Reversed(RuleEntry[] rules)
    {
        var reversed = (RuleEntry[])rules.Clone();
        Array.Reverse(reversed);
        return reversed;
    }

    private static void Keep(List<Piece> result, Piece piece)
    {
        var sorted = piece.Rules
            .OrderByDescending(static rule => rule.Body.Precedence)
            .ThenBy(static rule => rule.Body.Verdict)
            .ToArray(); // stable
        uint tier = 0;
        var onlyPass = sorted.Length > 0;
        foreach (var rule in sorted)
        {
            onlyPass &= rule.Body.Verdict == RuleVerdict.Pass;
            if (rule.Body.Precedence < tier)
            {
                tier = 0;
            }
            if (rule.Body.Verdict != RuleVerdict.Pass)
            {
                continue;
            }
            if (tier != 0 && tier != rule.Body.PassPrecedence)
            {
                throw new PolicyConfigException($"PortNetworkPolicy: Inconsistent pass precedence {rule.Body.PassPrecedence} != {tier}");
            }
            tier = rule.Body.PassPrecedence;
        }
        // Kept, such a piece would hide the wildcard from look-ups and have no http_rules to enforce.
        if (!onlyPass)
        {
            result.Add(piece with { Rules = sorted });
        }
    }
}
