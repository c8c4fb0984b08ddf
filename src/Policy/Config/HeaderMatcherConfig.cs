namespace Postern.Policy.Config;

/// <summary><c>envoy.config.route.v3.HeaderMatcher</c>: a name and one kind of match.</summary>
/// <param name="Name">Header name, or a pseudo header (<c>:path</c>, <c>:method</c>, <c>:authority</c>, <c>:scheme</c>).</param>
/// <param name="Match">Null means no specifier was set: matches when the header is present.</param>
/// <param name="InvertMatch">Inverts the result (not for a missing header, unless <see cref="TreatMissingHeaderAsEmpty"/>).</param>
/// <param name="TreatMissingHeaderAsEmpty">A missing header is the empty string.</param>
public sealed record HeaderMatcherConfig(string Name, HeaderMatchSpecifier? Match, bool InvertMatch, bool TreatMissingHeaderAsEmpty);

/// <summary>The oneof <c>header_match_specifier</c>.</summary>
public abstract record HeaderMatchSpecifier;

/// <summary>exact_match (4), prefix_match (9), suffix_match (10), contains_match (12), safe_regex_match (11) and string_match (13), all as one form.</summary>
public sealed record StringHeaderMatch(StringMatcherConfig Matcher) : HeaderMatchSpecifier;

/// <summary>present_match (7).</summary>
public sealed record PresentHeaderMatch(bool Present) : HeaderMatchSpecifier;

/// <summary>range_match (6): <c>[start, end)</c> on a decimal integer.</summary>
public sealed record RangeHeaderMatch(long Start, long End) : HeaderMatchSpecifier;

/// <summary><c>envoy.type.matcher.v3.StringMatcher</c>.</summary>
/// <param name="Kind">Which form.</param>
/// <param name="Pattern">Text or RE2 expression.</param>
/// <param name="IgnoreCase">Not for regular expressions.</param>
public sealed record StringMatcherConfig(StringMatchKind Kind, string Pattern, bool IgnoreCase);

/// <summary>The forms of a StringMatcher.</summary>
public enum StringMatchKind
{
    /// <summary>Whole string.</summary>
    Exact,

    /// <summary>Starts with.</summary>
    Prefix,

    /// <summary>Ends with.</summary>
    Suffix,

    /// <summary>Contains.</summary>
    Contains,

    /// <summary>RE2 full match.</summary>
    SafeRegex,
}
