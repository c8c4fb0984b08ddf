using System.Text;
using Postern.Policy.Config;
using Postern.Policy.Re2;

namespace Postern.Policy.Matching;

/// <summary>StringMatcherConfig → the cheapest matcher that means the same.</summary>
internal static class TextMatcherCompiler
{
    /// <exception cref="FieldException">The pattern is refused.</exception>
    public static TextMatcher Compile(StringMatcherConfig config)
    {
        var text = WireText.From(config.Pattern);
        if (config.Pattern.Length == 0 && config.Kind is StringMatchKind.Prefix or StringMatchKind.Suffix or StringMatchKind.Contains)
        {
            throw new FieldException($"an empty {config.Kind.ToString().ToLowerInvariant()} pattern matches everything; use present_match to say so");
        }
        switch (config.Kind)
        {
            case StringMatchKind.Exact:
                return config.IgnoreCase ? new ExactIgnoreCaseMatcher(text) : new ExactMatcher(text);
            case StringMatchKind.Prefix:
                return new PrefixMatcher(text, config.IgnoreCase);
            case StringMatchKind.Suffix:
                return new SuffixMatcher(text, config.IgnoreCase);
            case StringMatchKind.Contains:
                if (config.IgnoreCase && !Ascii.IsValid(text))
                {
                    throw new FieldException($"ignore_case on the non-ASCII pattern '{config.Pattern}' is not supported for contains; write it without ignore_case");
                }
                return new ContainsMatcher(text, config.IgnoreCase);
            case StringMatchKind.SafeRegex:
                return CompileRegex(config);
            default:
                throw new FieldException($"unknown string match kind {(int)config.Kind}");
        }
    }

    private static TextMatcher CompileRegex(StringMatcherConfig config)
    {
        if (config.IgnoreCase)
        {
            throw new FieldException($"ignore_case has no effect on safe_regex '{config.Pattern}'; write (?i) into the expression");
        }
        if (config.Pattern.Length == 0)
        {
            throw new FieldException("safe_regex must not be empty");
        }
        if (config.Pattern == AnyTextMatcher.Expression)
        {
            return new AnyTextMatcher();
        }
        try
        {
            var node = Re2Parser.Parse(config.Pattern);
            return Re2Shape.TryReduce(node) ?? new RegexMatcher(node);
        }
        catch (Re2SyntaxException error)
        {
            throw new FieldException($"safe_regex '{config.Pattern}': {error.Message}");
        }
    }
}
