using System;

namespace Postern.Policy.Matching;

/// <summary>
/// Any value at all, bytes that are no UTF-8 included: the one expression by which configuration says "present". Judged as an expression,
/// its inversion ("never") could be reached by a client that sends broken UTF-8.
/// </summary>
internal sealed class AnyTextMatcher : TextMatcher
{
    public const string Expression = "(?s).*";

    public override bool Matches(ReadOnlySpan<char> text) => true;
}
