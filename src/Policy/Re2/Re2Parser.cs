using System;
using System.Collections.Generic;
using System.Text;

namespace Postern.Policy.Re2;

/// <summary>
/// Parses RE2 syntax (https://github.com/google/re2/wiki/Syntax, the Perl-like flavour Envoy uses) into a tree.
/// It exists because .NET's own parser reads the same text differently: \d, \w, \s and \b are Unicode there, $ also matches before a
/// final newline, POSIX classes, \Q…\E, \C and (?P&lt;n&gt;) are missing or mean something else, and backtracking-only constructs are
/// accepted. What RE2 refuses is refused here too, with RE2's words where it has some.
/// </summary>
internal sealed partial class Re2Parser
{
    public const int MaxPatternLength = 8192;
    public const int MaxRepeat = 1000;
    private const int MaxDepth = 200;

    private readonly string pattern;
    private readonly HashSet<string> names = new(StringComparer.Ordinal);
    private int position;
    private int depth;
    private bool ignoreCase;
    private bool multiLine;
    private bool dotNewline;

    private Re2Parser(string pattern) => this.pattern = pattern;

    /// <exception cref="Re2SyntaxException">The text is no RE2 expression, or cannot be run.</exception>
    public static Re2Node Parse(string pattern)
    {
        if (pattern.Length > MaxPatternLength)
        {
            throw new Re2SyntaxException($"expression has {pattern.Length} characters, at most {MaxPatternLength} are accepted");
        }
        var parser = new Re2Parser(pattern);
        var node = parser.ParseAlternation();
        if (parser.position < pattern.Length)
        {
            throw parser.Error("unexpected )");
        }
        Re2Size.Check(node);
        return node;
    }

    private bool AtEnd => position >= pattern.Length;

    private Re2Node ParseAlternation()
    {
        if (++depth > MaxDepth)
        {
            throw Error($"groups nested deeper than {MaxDepth}");
        }
        var branches = new List<Re2Node> { ParseConcat() };
        while (!AtEnd && pattern[position] == '|')
        {
            position++;
            branches.Add(ParseConcat());
        }
        depth--;
        return Re2Node.Group(Re2Kind.Alternate, [.. branches]);
    }

    private Re2Node ParseConcat()
    {
        var items = new List<Re2Node>();
        var repeatable = false; // false at the start and after a repetition: RE2 refuses "a**" and with it the possessive "a++"
        while (!AtEnd && pattern[position] is not ('|' or ')'))
        {
            var start = position;
            if (TryParseRepeat(out var min, out var max))
            {
                if (!repeatable)
                {
                    var what = pattern[start..position];
                    throw Error(items.Count == 0 ? $"missing argument to repetition operator: {what}" : $"bad repetition operator: {what}", start);
                }
                if (!AtEnd && pattern[position] == '?')
                {
                    position++; // lazy: the same language
                }
                items[^1] = Re2Node.Repeat(items[^1], min, max);
                repeatable = false;
                continue;
            }
            repeatable = ParseItem(items);
        }
        return Re2Node.Group(Re2Kind.Concat, [.. items]);
    }

    /// <summary>Adds what stands at the position; false when a repetition may not follow (flags, an empty \Q\E).</summary>
    private bool ParseItem(List<Re2Node> items)
    {
        switch (pattern[position])
        {
            case '(':
                var group = ParseGroup();
                if (group is not null)
                {
                    items.Add(group);
                }
                return group is not null;
            case '[':
                items.Add(Re2Node.Of(ParseClass()));
                return true;
            case '.':
                position++;
                items.Add(Re2Node.Of(dotNewline ? CodePointSet.All : CodePointSet.NotNewline));
                return true;
            case '^':
                position++;
                items.Add(new Re2Node(multiLine ? Re2Kind.LineBegin : Re2Kind.Begin));
                return true;
            case '$':
                position++;
                items.Add(new Re2Node(multiLine ? Re2Kind.LineEnd : Re2Kind.End));
                return true;
            case '\\':
                return ParseEscape(items);
            default:
                items.Add(Literal(NextCodePoint()));
                return true;
        }
    }

    private bool ParseEscape(List<Re2Node> items)
    {
        if (position + 1 >= pattern.Length)
        {
            throw Error("trailing \\ at end of expression");
        }
        switch (pattern[position + 1])
        {
            case 'Q':
                position += 2;
                var before = items.Count;
                while (!AtEnd && !Next("\\E"))
                {
                    items.Add(Literal(NextCodePoint()));
                }
                position = Math.Min(position + 2, pattern.Length);
                return items.Count > before;
            case 'A':
                return Anchor(items, Re2Kind.Begin);
            case 'z':
                return Anchor(items, Re2Kind.End);
            case 'b':
                return Anchor(items, Re2Kind.WordBoundary);
            case 'B':
                return Anchor(items, Re2Kind.NotWordBoundary);
            case 'C':
                throw Error("\\C (one byte) is not supported");
        }
        if (TryParseClassEscape(out var set))
        {
            items.Add(Re2Node.Of(set));
            return true;
        }
        items.Add(Literal(ParseCharacterEscape()));
        return true;
    }

    private bool Anchor(List<Re2Node> items, Re2Kind kind)
    {
        position += 2;
        items.Add(new Re2Node(kind));
        return true;
    }

    private Re2Node? ParseGroup()
    {
        var (savedCase, savedMulti, savedDot) = (ignoreCase, multiLine, dotNewline);
        var start = position;
        position++;
        if (!AtEnd && pattern[position] == '?')
        {
            position++;
            if (!ParseGroupHead(start))
            {
                return null; // (?flags): they hold until the enclosing group ends
            }
        }
        var node = ParseAlternation();
        if (AtEnd)
        {
            throw Error("missing )", start);
        }
        position++;
        (ignoreCase, multiLine, dotNewline) = (savedCase, savedMulti, savedDot);
        return node;
    }

    /// <summary>Reads what follows <c>(?</c>. True when a group's body follows, false for flags alone.</summary>
    private bool ParseGroupHead(int start)
    {
        if (Next("P<") || (Next("<") && !Next("<=") && !Next("<!")))
        {
            position += pattern[position] == 'P' ? 2 : 1;
            var end = pattern.IndexOf('>', position);
            var name = end < 0 ? "" : pattern[position..end];
            foreach (var c in name)
            {
                if (!char.IsAsciiLetterOrDigit(c) && c != '_')
                {
                    name = "";
                    break;
                }
            }
            if (name.Length == 0 || !names.Add(name))
            {
                throw Error(name.Length == 0 ? "invalid named capture group" : $"duplicate capture group name: {name}", start);
            }
            position = end + 1;
            return true;
        }
        var on = true;
        var seen = false;
        while (!AtEnd)
        {
            var c = pattern[position++];
            switch (c)
            {
                case 'i':
                    ignoreCase = on;
                    break;
                case 'm':
                    multiLine = on;
                    break;
                case 's':
                    dotNewline = on;
                    break;
                case 'U':
                    break; // swaps greedy and lazy: the same language
                case '-' when on:
                    on = false;
                    seen = false;
                    continue;
                case ':' when seen || on:
                    return true;
                case ')' when seen:
                    return false;
                default:
                    throw Error("invalid or unsupported group syntax (look-around, atomic groups, conditions and comments are not RE2)", start);
            }
            seen = true;
        }
        throw Error("missing )", start);
    }

    private bool TryParseRepeat(out int min, out int max)
    {
        (min, max) = (0, Re2Node.Unbounded);
        switch (pattern[position])
        {
            case '*':
                position++;
                return true;
            case '+':
                position++;
                min = 1;
                return true;
            case '?':
                position++;
                max = 1;
                return true;
            case '{':
                return TryParseCounts(out min, out max);
            default:
                return false;
        }
    }

    /// <summary><c>{n}</c>, <c>{n,}</c>, <c>{n,m}</c>; anything else is a literal brace.</summary>
    private bool TryParseCounts(out int min, out int max)
    {
        max = 0;
        var start = position;
        var at = position + 1;
        var ok = ReadNumber(ref at, out min);
        if (ok && at < pattern.Length && pattern[at] == ',')
        {
            at++;
            if (at < pattern.Length && pattern[at] == '}')
            {
                max = Re2Node.Unbounded;
            }
            else
            {
                ok = ReadNumber(ref at, out max);
            }
        }
        else
        {
            max = min;
        }
        if (!ok || at >= pattern.Length || pattern[at] != '}')
        {
            return false;
        }
        position = at + 1;
        if (min > MaxRepeat || max > MaxRepeat || (max != Re2Node.Unbounded && max < min))
        {
            throw Error($"invalid repetition size: {pattern[start..position]}", start);
        }
        return true;
    }

    private bool ReadNumber(ref int at, out int value)
    {
        value = 0;
        var first = at;
        while (at < pattern.Length && char.IsAsciiDigit(pattern[at]))
        {
            value = Math.Min((value * 10) + (pattern[at] - '0'), MaxRepeat + 1);
            at++;
        }
        return at > first && (pattern[first] != '0' || at == first + 1);
    }

    private Re2Node Literal(int codePoint)
    {
        var set = CodePointSet.Of(codePoint);
        if (!ignoreCase)
        {
            return Re2Node.Of(set);
        }
        if (codePoint >= 0x80)
        {
            var rune = new Rune(codePoint);
            if (Rune.ToUpperInvariant(rune) == rune && Rune.ToLowerInvariant(rune) == rune)
            {
                return Re2Node.Of(set);
            }
        }
        return Re2Node.Of(set.FoldCase());
    }

    private int NextCodePoint()
    {
        if (!Rune.TryGetRuneAt(pattern, position, out var rune))
        {
            throw Error("invalid UTF-16 (half a surrogate pair)");
        }
        position += rune.Utf16SequenceLength;
        return rune.Value;
    }

    private bool Next(string text) => string.CompareOrdinal(pattern, position, text, 0, text.Length) == 0;

    private Re2SyntaxException Error(string what, int? at = null) => new($"{what} (at character {(at ?? position) + 1})");
}
