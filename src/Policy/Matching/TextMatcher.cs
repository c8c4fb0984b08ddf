using System;

namespace Postern.Policy.Matching;

/// <summary>A compiled StringMatcher. Texts are wire texts (one char per byte). Matching allocates nothing.</summary>
internal abstract class TextMatcher
{
    public abstract bool Matches(ReadOnlySpan<char> text);

    /// <summary>False when the answer for this text cannot be trusted; then the caller refuses, also under invert_match.</summary>
    public virtual bool CanJudge(ReadOnlySpan<char> text) => true;
}

/// <summary>Equal to one string.</summary>
internal sealed class ExactMatcher(string value) : TextMatcher
{
    public string Value { get; } = value;

    public override bool Matches(ReadOnlySpan<char> text) => text.SequenceEqual(Value);
}

/// <summary>Equal to one of several strings, found by hash.</summary>
internal sealed class ExactSetMatcher : TextMatcher
{
    private readonly System.Collections.Generic.HashSet<string>.AlternateLookup<ReadOnlySpan<char>> values;

    public ExactSetMatcher(System.Collections.Generic.IEnumerable<string> values) =>
        this.values = new System.Collections.Generic.HashSet<string>(values, StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    public override bool Matches(ReadOnlySpan<char> text) => values.Contains(text);
}

/// <summary>Equal without ASCII case (Envoy's ignore_case folds ASCII only).</summary>
internal sealed class ExactIgnoreCaseMatcher(string value) : TextMatcher
{
    public override bool Matches(ReadOnlySpan<char> text) => AsciiCase.Equal(text, value);
}

/// <summary>Starts with a string; bytes after it are free.</summary>
internal sealed class PrefixMatcher(string prefix, bool ignoreCase) : TextMatcher
{
    public override bool Matches(ReadOnlySpan<char> text) =>
        text.Length >= prefix.Length && (ignoreCase ? AsciiCase.Equal(text[..prefix.Length], prefix) : text.StartsWith(prefix));
}

/// <summary>Ends with a string; bytes before it are free.</summary>
internal sealed class SuffixMatcher(string suffix, bool ignoreCase) : TextMatcher
{
    public override bool Matches(ReadOnlySpan<char> text) =>
        text.Length >= suffix.Length && (ignoreCase ? AsciiCase.Equal(text[^suffix.Length..], suffix) : text.EndsWith(suffix));
}

/// <summary>Holds a string somewhere.</summary>
internal sealed class ContainsMatcher(string part, bool ignoreCase) : TextMatcher
{
    public override bool Matches(ReadOnlySpan<char> text) =>
        ignoreCase ? AsciiCase.Contains(text, part) : text.IndexOf(part, StringComparison.Ordinal) >= 0;
}

/// <summary>The expression <c>prefix.*suffix</c> without a Regex: between the two stand UTF-8 characters, no newline unless asked for.</summary>
internal sealed class AffixMatcher(string prefix, string suffix, int minMiddle, bool newline) : TextMatcher
{
    public override bool Matches(ReadOnlySpan<char> text)
    {
        var middle = text.Length - prefix.Length - suffix.Length;
        return middle >= minMiddle && text.StartsWith(prefix) && text.EndsWith(suffix)
            && WireText.IsDotText(text.Slice(prefix.Length, middle), newline);
    }
}

/// <summary>The expression <c>.*part.*</c> without a Regex.</summary>
internal sealed class DotContainsMatcher(string part, bool newline) : TextMatcher
{
    public override bool Matches(ReadOnlySpan<char> text) =>
        text.IndexOf(part, StringComparison.Ordinal) >= 0 && WireText.IsDotText(text, newline);
}

/// <summary>Any of several cheap matchers.</summary>
internal sealed class AnyOfMatcher(TextMatcher[] matchers) : TextMatcher
{
    public override bool Matches(ReadOnlySpan<char> text)
    {
        foreach (var matcher in matchers)
        {
            if (matcher.Matches(text))
            {
                return true;
            }
        }
        return false;
    }
}
