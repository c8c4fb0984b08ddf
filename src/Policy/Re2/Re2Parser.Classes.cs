using System;
using System.Collections.Generic;

namespace Postern.Policy.Re2;

/// <summary>Character escapes and character classes.</summary>
internal sealed partial class Re2Parser
{
    private CodePointSet ParseClass()
    {
        var start = position++;
        var negated = !AtEnd && pattern[position] == '^';
        if (negated)
        {
            position++;
        }
        var ranges = new List<(int, int)>();
        var ready = CodePointSet.None; // escapes and POSIX classes: folded on their own, because \D is negated after folding
        var first = true;
        while (true)
        {
            if (AtEnd)
            {
                throw Error("missing ]", start);
            }
            if (pattern[position] == ']' && !first)
            {
                position++;
                break;
            }
            first = false;
            if (Next("[:") && TryParsePosixClass(out var named))
            {
                ready = ready.Union(named);
            }
            else if (pattern[position] == '\\' && TryParseClassEscape(out var escaped))
            {
                ready = ready.Union(escaped);
            }
            else
            {
                ranges.Add(ParseRange());
            }
        }
        var set = CodePointSet.Of([.. ranges]);
        set = (ignoreCase ? set.FoldCase() : set).Union(ready);
        return negated ? set.Negate() : set;
    }

    private (int Low, int High) ParseRange()
    {
        var start = position;
        var low = ParseClassCharacter();
        // A '-' before the closing bracket is a literal.
        if (position + 1 < pattern.Length && pattern[position] == '-' && pattern[position + 1] != ']')
        {
            position++;
            var high = ParseClassCharacter();
            if (high < low)
            {
                throw Error($"invalid character class range: {pattern[start..position]}", start);
            }
            return (low, high);
        }
        return (low, low);
    }

    private int ParseClassCharacter()
    {
        if (AtEnd)
        {
            throw Error("missing ]");
        }
        return pattern[position] == '\\' ? ParseCharacterEscape() : NextCodePoint();
    }

    private bool TryParsePosixClass(out CodePointSet set)
    {
        set = CodePointSet.None;
        var end = pattern.IndexOf(":]", position + 2, StringComparison.Ordinal);
        if (end < 0)
        {
            return false; // RE2 then reads "[" as a literal
        }
        var name = pattern[(position + 2)..end];
        var negated = name.StartsWith('^');
        CodePointSet? found = (negated ? name[1..] : name) switch
        {
            "alnum" => CodePointSet.Of(('0', '9'), ('A', 'Z'), ('a', 'z')),
            "alpha" => CodePointSet.Of(('A', 'Z'), ('a', 'z')),
            "ascii" => CodePointSet.Of((0, 0x7F)),
            "blank" => CodePointSet.Of(('\t', '\t'), (' ', ' ')),
            "cntrl" => CodePointSet.Of((0, 0x1F), (0x7F, 0x7F)),
            "digit" => CodePointSet.Digit,
            "graph" => CodePointSet.Of(('!', '~')),
            "lower" => CodePointSet.Of(('a', 'z')),
            "print" => CodePointSet.Of((' ', '~')),
            "punct" => CodePointSet.Of(('!', '/'), (':', '@'), ('[', '`'), ('{', '~')),
            "space" => CodePointSet.Of(('\t', '\r'), (' ', ' ')),
            "upper" => CodePointSet.Of(('A', 'Z')),
            "word" => CodePointSet.Word,
            "xdigit" => CodePointSet.Of(('0', '9'), ('A', 'F'), ('a', 'f')),
            _ => null,
        };
        if (found is null)
        {
            throw Error($"invalid character class range: [:{name}:]");
        }
        position = end + 2;
        set = Finish(found, negated);
        return true;
    }

    /// <summary>\d \s \w \p and their negations.</summary>
    private bool TryParseClassEscape(out CodePointSet set)
    {
        set = CodePointSet.None;
        if (position + 1 >= pattern.Length)
        {
            return false;
        }
        var letter = pattern[position + 1];
        CodePointSet? perl = char.ToLowerInvariant(letter) switch
        {
            'd' => CodePointSet.Digit,
            's' => CodePointSet.Space,
            'w' => CodePointSet.Word,
            _ => null,
        };
        if (perl is not null)
        {
            position += 2;
            set = Finish(perl, char.IsAsciiLetterUpper(letter));
            return true;
        }
        if (letter is not ('p' or 'P'))
        {
            return false;
        }
        set = ParseUnicodeClass(letter == 'P');
        return true;
    }

    private CodePointSet ParseUnicodeClass(bool negated)
    {
        var start = position;
        position += 2;
        if (AtEnd)
        {
            throw Error("invalid character class range", start);
        }
        string name;
        if (pattern[position] == '{')
        {
            var end = pattern.IndexOf('}', position);
            if (end < 0)
            {
                throw Error("invalid character class range", start);
            }
            name = pattern[(position + 1)..end];
            position = end + 1;
        }
        else
        {
            name = pattern[position++].ToString();
        }
        if (name.StartsWith('^'))
        {
            negated = !negated;
            name = name[1..];
        }
        if (ignoreCase && name is not ("Any" or "N" or "Nd" or "Nl" or "No" or "P" or "Z"))
        {
            throw Error($"Unicode class {name} under (?i) cannot be expressed", start);
        }
        var set = name == "Any" ? CodePointSet.All : CodePointSet.Category(name)
            ?? throw Error($"Unicode class {name} is not supported; general categories such as L, Lu, N are", start);
        return negated ? set.Negate() : set;
    }

    private CodePointSet Finish(CodePointSet set, bool negated)
    {
        set = ignoreCase ? set.FoldCase() : set;
        return negated ? set.Negate() : set;
    }

    private int ParseCharacterEscape()
    {
        var start = position;
        position++;
        if (AtEnd)
        {
            throw Error("trailing \\ at end of expression", start);
        }
        var c = pattern[position++];
        switch (c)
        {
            case 'a':
                return 7;
            case 'f':
                return '\f';
            case 't':
                return '\t';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 'v':
                return 11;
            case 'x':
                return ParseHex(start);
            case >= '0' and <= '7':
                return ParseOctal(c, start);
        }
        if (c < 0x80 && !char.IsAsciiLetterOrDigit(c))
        {
            return c;
        }
        throw Error($"invalid escape sequence: {pattern[start..position]} (back-references are not RE2)", start);
    }

    private int ParseOctal(char firstDigit, int start)
    {
        // RE2: a lone non-zero digit would be a back-reference, so \1 to \7 need a second octal digit.
        if (firstDigit != '0' && (AtEnd || pattern[position] is < '0' or > '7'))
        {
            throw Error($"invalid escape sequence: \\{firstDigit} (back-references are not RE2)", start);
        }
        var value = firstDigit - '0';
        for (var digits = 1; digits < 3 && !AtEnd && pattern[position] is >= '0' and <= '7'; digits++)
        {
            value = (value * 8) + (pattern[position++] - '0');
        }
        return value;
    }

    private int ParseHex(int start)
    {
        var value = 0;
        if (!AtEnd && pattern[position] == '{')
        {
            var end = pattern.IndexOf('}', position);
            if (end <= position + 1)
            {
                throw Error("invalid escape sequence: \\x{", start);
            }
            for (var i = position + 1; i < end; i++)
            {
                value = char.IsAsciiHexDigit(pattern[i]) && value <= CodePointSet.Last
                    ? (value * 16) + Convert.ToInt32(pattern[i].ToString(), 16)
                    : CodePointSet.Last + 1;
            }
            position = end + 1;
        }
        else
        {
            if (position + 2 > pattern.Length || !char.IsAsciiHexDigit(pattern[position]) || !char.IsAsciiHexDigit(pattern[position + 1]))
            {
                throw Error("invalid escape sequence: \\x needs two hexadecimal digits", start);
            }
            value = Convert.ToInt32(pattern.Substring(position, 2), 16);
            position += 2;
        }
        if (value > CodePointSet.Last)
        {
            throw Error("invalid escape sequence: \\x beyond U+10FFFF or not hexadecimal", start);
        }
        return value is >= 0xD800 and <= 0xDFFF ? throw Error("\\x of a surrogate matches nothing", start) : value;
    }
}
