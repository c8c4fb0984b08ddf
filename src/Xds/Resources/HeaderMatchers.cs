using Envoy.Config.Route.V3;
using Envoy.Type.Matcher.V3;
using Postern.Policy.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>Envoy's header and string matchers from the wire; policy rules and routes share them.</summary>
internal static class HeaderMatchers
{
    /// <summary>All items; <paramref name="path"/> is that of the list.</summary>
    public static EquatableList<HeaderMatcherConfig> ToConfig(Google.Protobuf.Collections.RepeatedField<HeaderMatcher> items, ConfigPath path) =>
        items.Map(path, ToConfig);

    private static HeaderMatcherConfig ToConfig(HeaderMatcher matcher, ConfigPath path)
    {
        if (matcher.Name.Length == 0)
        {
            throw path.Field("name").Error("a header matcher needs a header name");
        }
        HeaderMatchSpecifier? match = matcher.HeaderMatchSpecifierCase switch
        {
            HeaderMatcher.HeaderMatchSpecifierOneofCase.None => null,
            HeaderMatcher.HeaderMatchSpecifierOneofCase.ExactMatch =>
                new StringHeaderMatch(new StringMatcherConfig(StringMatchKind.Exact, matcher.ExactMatch, false)),
            HeaderMatcher.HeaderMatchSpecifierOneofCase.PrefixMatch =>
                new StringHeaderMatch(NonEmpty(StringMatchKind.Prefix, matcher.PrefixMatch, false, path.Field("prefix_match"))),
            HeaderMatcher.HeaderMatchSpecifierOneofCase.SuffixMatch =>
                new StringHeaderMatch(NonEmpty(StringMatchKind.Suffix, matcher.SuffixMatch, false, path.Field("suffix_match"))),
            HeaderMatcher.HeaderMatchSpecifierOneofCase.ContainsMatch =>
                new StringHeaderMatch(NonEmpty(StringMatchKind.Contains, matcher.ContainsMatch, false, path.Field("contains_match"))),
            HeaderMatcher.HeaderMatchSpecifierOneofCase.SafeRegexMatch =>
                new StringHeaderMatch(Regex(matcher.SafeRegexMatch, path.Field("safe_regex_match"))),
            HeaderMatcher.HeaderMatchSpecifierOneofCase.StringMatch =>
                new StringHeaderMatch(ToConfig(matcher.StringMatch, path.Field("string_match"))),
            HeaderMatcher.HeaderMatchSpecifierOneofCase.PresentMatch => new PresentHeaderMatch(matcher.PresentMatch),
            HeaderMatcher.HeaderMatchSpecifierOneofCase.RangeMatch => new RangeHeaderMatch(matcher.RangeMatch.Start, matcher.RangeMatch.End),
            _ => throw path.Error("a kind of header match that is not built in"),
        };
        return new HeaderMatcherConfig(matcher.Name, match, matcher.InvertMatch, matcher.TreatMissingHeaderAsEmpty);
    }

    /// <summary>A string matcher.</summary>
    public static StringMatcherConfig ToConfig(StringMatcher matcher, ConfigPath path) => matcher.MatchPatternCase switch
    {
        StringMatcher.MatchPatternOneofCase.Exact => Exact(matcher),
        StringMatcher.MatchPatternOneofCase.Prefix => NonEmpty(StringMatchKind.Prefix, matcher.Prefix, matcher.IgnoreCase, path.Field("prefix")),
        StringMatcher.MatchPatternOneofCase.Suffix => NonEmpty(StringMatchKind.Suffix, matcher.Suffix, matcher.IgnoreCase, path.Field("suffix")),
        StringMatcher.MatchPatternOneofCase.Contains => NonEmpty(StringMatchKind.Contains, matcher.Contains, matcher.IgnoreCase, path.Field("contains")),
        StringMatcher.MatchPatternOneofCase.SafeRegex => matcher.IgnoreCase
            ? throw path.Field("ignore_case").Error("has no effect on safe_regex; write (?i) into the expression")
            : Regex(matcher.SafeRegex, path.Field("safe_regex")),
        _ => throw path.Error("needs one of exact, prefix, suffix, contains or safe_regex"),
    };

    /// <summary>A regular expression; whether the engine takes it is the compiler's to say.</summary>
    public static StringMatcherConfig Regex(RegexMatcher matcher, ConfigPath path) =>
        NonEmpty(StringMatchKind.SafeRegex, matcher.Regex, false, path.Field("regex"));

    // Envoy lets the deprecated exact_match with an empty text match any value of a header that is there, while
    // string_match {exact: ""} matches the empty value only. The model has one form for both and gives it the first meaning, so the
    // second one is written as an expression: the wider meaning would let requests through.
    private static StringMatcherConfig Exact(StringMatcher matcher) => matcher.Exact.Length == 0
        ? new StringMatcherConfig(StringMatchKind.SafeRegex, "^$", false)
        : new StringMatcherConfig(StringMatchKind.Exact, matcher.Exact, matcher.IgnoreCase);

    private static StringMatcherConfig NonEmpty(StringMatchKind kind, string text, bool ignoreCase, ConfigPath path) =>
        text.Length == 0 ? throw path.Error("must not be empty: it would match everything") : new StringMatcherConfig(kind, text, ignoreCase);
}
