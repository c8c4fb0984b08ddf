using System;
using Postern.Xds.Config;

namespace Postern.Proxy.Http;

/// <summary>
/// What <c>path_with_escaped_slashes_action</c>, <c>normalize_path</c> and <c>merge_slashes</c> make of a path, in this order, which is Envoy's:
/// so <c>%2F..</c> is resolved once the slash is one, and slashes that the resolving left behind are merged. The query is not looked at.
/// The rules are those of RFC 3986 section 6.2.2, without case: escapes of unreserved characters become the characters (6.2.2.2), then dot
/// segments go (5.2.4); a backslash counts as a slash, as Envoy has it. All other escapes stay with the case of their digits.
/// Pure: characters in, characters or a refusal out. The result never is longer, and to do it again changes nothing.
/// </summary>
internal static class PathNormaliser
{
    /// <summary>A quick look: false when <see cref="Apply"/> would leave the target alone.</summary>
    public static bool MayChange(ReadOnlySpan<char> target)
    {
        var path = PathOf(target);
        return path.IndexOfAny('%', '\\') >= 0
            || target.Contains('#')
            || path.IndexOf("//", StringComparison.Ordinal) >= 0
            || path.IndexOf("/.", StringComparison.Ordinal) >= 0;
    }

    /// <summary>Applies the rules.</summary>
    /// <param name="rules">What is asked for.</param>
    /// <param name="target">Path and query. One that does not begin with a slash (<c>*</c>) is left alone.</param>
    /// <param name="result">At least as long as the target.</param>
    /// <param name="length">Of the result; 0 for a refusal.</param>
    public static PathOutcome Apply(PathRules rules, ReadOnlySpan<char> target, Span<char> result, out int length)
    {
        length = 0;
        if (target.Contains('#'))
        {
            return PathOutcome.Fragment;
        }
        var path = PathOf(target);
        target.CopyTo(result);
        length = target.Length;
        if (path.IsEmpty || path[0] != '/')
        {
            return PathOutcome.Unchanged;
        }
        var end = path.Length;
        var redirects = false;
        if (rules.EscapedSlashes != EscapedSlashesAction.KeepUnchanged)
        {
            end = UnescapeSlashes(result[..end]);
            redirects = end < path.Length && rules.EscapedSlashes == EscapedSlashesAction.UnescapeAndRedirect;
            if (end < path.Length && rules.EscapedSlashes == EscapedSlashesAction.RejectRequest)
            {
                length = 0;
                return PathOutcome.EscapedSlash;
            }
        }
        if (rules.Dots)
        {
            end = Unescape(result[..end]);
            if (end < 0)
            {
                length = 0;
                return PathOutcome.NestedEscape;
            }
            end = RemoveDotSegments(result[..end]);
        }
        if (rules.Slashes)
        {
            end = MergeSlashes(result[..end]);
        }
        var query = target[path.Length..];
        query.CopyTo(result[end..]);
        length = end + query.Length;
        if (redirects && end > 1 && result[1] is '/' or '\\')
        {
            // A browser takes "//host" in a location for another host's address.
            length = 0;
            return PathOutcome.RedirectElsewhere;
        }
        return redirects ? PathOutcome.Redirect : result[..length].SequenceEqual(target) ? PathOutcome.Unchanged : PathOutcome.Changed;
    }

    private static ReadOnlySpan<char> PathOf(ReadOnlySpan<char> target)
    {
        var query = target.IndexOf('?');
        return query < 0 ? target : target[..query];
    }

    // These and those below write over what they have read: the result is never longer.
    private static int UnescapeSlashes(Span<char> path)
    {
        var to = 0;
        for (var from = 0; from < path.Length; from++)
        {
            if (ValueAt(path, from) is var value && value is '/' or '\\')
            {
                path[to++] = (char)value;
                from += 2;
            }
            else
            {
                path[to++] = path[from];
            }
        }
        return to;
    }

    // Negative for a path that must be refused.
    private static int Unescape(Span<char> path)
    {
        var to = 0;
        for (var from = 0; from < path.Length; from++)
        {
            var value = ValueAt(path, from);
            if (value < 0)
            {
                path[to++] = path[from] == '\\' ? '/' : path[from];
            }
            else if (!IsUnreserved((char)value))
            {
                path[from..(from + 3)].CopyTo(path[to..]);
                to += 3;
                from += 2;
            }
            else if (CompletesEscape(path[..to], (char)value))
            {
                return -1;
            }
            else
            {
                path[to++] = (char)value;
                from += 2;
            }
        }
        return to;
    }

    // "%%32e": a percent sign that begins no escape would begin one now, and whoever unescapes next would read a dot.
    private static bool CompletesEscape(ReadOnlySpan<char> before, char next) =>
        Digit(next) >= 0 && ((before.Length > 0 && before[^1] == '%') || (before.Length > 1 && before[^2] == '%' && Digit(before[^1]) >= 0));

    private static int RemoveDotSegments(Span<char> path)
    {
        var to = 0;
        for (var from = 0; from < path.Length;)
        {
            // At a slash; its segment goes to the next one or to the end.
            var size = path[(from + 1)..].IndexOf('/');
            var next = size < 0 ? path.Length : from + 1 + size;
            var segment = path[(from + 1)..next];
            if (segment is "." or "..")
            {
                if (segment.Length == 2)
                {
                    to = Math.Max(0, path[..to].LastIndexOf('/'));
                }
                if (next == path.Length)
                {
                    path[to++] = '/';
                }
            }
            else
            {
                path[from..next].CopyTo(path[to..]);
                to += next - from;
            }
            from = next;
        }
        return to;
    }

    private static int MergeSlashes(Span<char> path)
    {
        var to = 0;
        foreach (var c in path)
        {
            if (c != '/' || to == 0 || path[to - 1] != '/')
            {
                path[to++] = c;
            }
        }
        return to;
    }

    // The byte that is escaped there, or negative.
    private static int ValueAt(ReadOnlySpan<char> path, int at) =>
        path[at] == '%' && at + 2 < path.Length ? (Digit(path[at + 1]) << 4) | Digit(path[at + 2]) : -1;

    // Negative for what is no digit, and stays so when it is shifted.
    private static int Digit(char digit) => digit switch
    {
        >= '0' and <= '9' => digit - '0',
        >= 'a' and <= 'f' => digit - 'a' + 10,
        >= 'A' and <= 'F' => digit - 'A' + 10,
        _ => -1,
    };

    // RFC 3986 section 2.3.
    private static bool IsUnreserved(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~';
}
