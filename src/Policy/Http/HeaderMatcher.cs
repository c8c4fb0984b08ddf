using System;
using System.Globalization;
using Postern.Policy.Config;
using Postern.Policy.Matching;

namespace Postern.Policy.Http;

/// <summary>
/// A compiled <c>envoy.config.route.v3.HeaderMatcher</c>. Envoy's meaning: a missing header matches nothing, inverted or not, unless it
/// is to be taken as empty; only a presence match is decided by absence. (The deprecated exact_match "", which any present value satisfies,
/// arrives here as the expression <c>(?s).*</c>.)
/// </summary>
internal sealed class HeaderMatcher
{
    private enum Kind
    {
        Present,
        Text,
        Range,
    }

    private readonly HeaderField field;
    private readonly Kind kind;
    private readonly TextMatcher? text;
    private readonly bool expression;
    private readonly bool present;
    private readonly long start;
    private readonly long end;
    private readonly bool invert;
    private readonly bool missingIsEmpty;

    /// <exception cref="FieldException">The matcher is refused.</exception>
    public HeaderMatcher(HeaderMatcherConfig config, Func<StringMatcherConfig, TextMatcher> compile)
    {
        if (config.Name.Length == 0)
        {
            throw new FieldException("the header name must not be empty");
        }
        field = new HeaderField(config.Name);
        invert = config.InvertMatch;
        missingIsEmpty = config.TreatMissingHeaderAsEmpty;
        switch (config.Match)
        {
            case null:
                (kind, present) = (Kind.Present, true);
                break;
            case PresentHeaderMatch match:
                (kind, present) = (Kind.Present, match.Present);
                break;
            case StringHeaderMatch match:
                (kind, text) = (Kind.Text, compile(match.Matcher));
                expression = match.Matcher.Kind == StringMatchKind.SafeRegex && text is not AnyTextMatcher;
                break;
            case RangeHeaderMatch match:
                if (match.Start > match.End)
                {
                    throw new FieldException($"range_match start {match.Start} is greater than end {match.End}");
                }
                (kind, start, end) = (Kind.Range, match.Start, match.End);
                break;
            default:
                throw new FieldException($"header_match_specifier {config.Match.GetType().Name} is not known");
        }
    }

    public bool Matches(IHttpPolicyRequest request)
    {
        var buffer = default(JoinBuffer);
        var found = field.TryGet(request, ref buffer, out var value);
        var result = Judge(found || missingIsEmpty, value);
        buffer.Dispose();
        return result;
    }

    private bool Judge(bool found, ReadOnlySpan<char> value)
    {
        if (kind == Kind.Present)
        {
            return (found == present) != invert;
        }
        if (!found)
        {
            return false;
        }
        if (kind == Kind.Range)
        {
            return (long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && start <= number && number < end) != invert;
        }
        if (text!.Matches(value))
        {
            return !invert;
        }
        // RE2 has no opinion on bytes that are no UTF-8; "does not match" must not become a match by inversion.
        return invert && text.CanJudge(value) && !(expression && !WireText.IsDotText(value, newline: true));
    }
}
