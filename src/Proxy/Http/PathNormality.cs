using System;

namespace Postern.Proxy.Http;

/// <summary>
/// Whether a path is already what <c>normalize_path</c> and its companions would make of it. A request whose path would change is refused:
/// policy, records and upstream must all see one path, and a server that resolves <c>/public/../secret</c> by itself must not be reached
/// around a rule for <c>/public/.*</c>.
/// </summary>
/// <param name="Dots"><c>normalize_path</c>: no dot segments, no backslashes, no escapes of characters that need none.</param>
/// <param name="Slashes"><c>merge_slashes</c>: no empty segments.</param>
/// <param name="EscapedSlashes"><c>path_with_escaped_slashes_action</c> other than KEEP_UNCHANGED: no <c>%2F</c> and no <c>%5C</c>.</param>
internal readonly record struct PathNormality(bool Dots, bool Slashes, bool EscapedSlashes)
{
    /// <summary>Whether anything is asked for.</summary>
    public bool Checks => Dots || Slashes || EscapedSlashes;

    /// <summary>Null when the path may pass, else what is wrong with it: a constant text.</summary>
    /// <param name="target">As sent, with its query, which is not looked at.</param>
    public string? FindProblem(ReadOnlySpan<char> target)
    {
        var end = target.IndexOfAny('?', '#');
        var path = end < 0 ? target : target[..end];
        if (path.Length == 0 || path[0] != '/')
        {
            return null; // "*" of OPTIONS; an absolute form was reduced to its path before
        }
        if (Slashes && path.IndexOf("//", StringComparison.Ordinal) >= 0)
        {
            return "the path has an empty segment (//), which merge_slashes would change";
        }
        if (path.IndexOf('%') >= 0 && FindEscape(path) is { } escape)
        {
            return escape;
        }
        if (Dots && path.IndexOf('\\') >= 0)
        {
            return "the path has a backslash, which normalize_path would change";
        }
        return Dots && HasDotSegment(path) ? "the path has a dot segment (/. or /..), which normalize_path would change" : null;
    }

    private string? FindEscape(ReadOnlySpan<char> path)
    {
        for (var i = path.IndexOf('%'); i >= 0 && i + 2 < path.Length; i++)
        {
            if (path[i] != '%')
            {
                continue;
            }
            var value = (Hex(path[i + 1]) << 4) | Hex(path[i + 2]);
            if (value is '/' or '\\')
            {
                if (EscapedSlashes)
                {
                    return "the path has an escaped slash (%2F or %5C), which path_with_escaped_slashes_action would change";
                }
            }
            else if (Dots && value >= 0 && IsUnreserved((char)value))
            {
                return "the path escapes a character that needs no escape, which normalize_path would change";
            }
        }
        return null;
    }

    private static bool HasDotSegment(ReadOnlySpan<char> path)
    {
        foreach (var range in path.Split('/'))
        {
            if (path[range] is "." or "..")
            {
                return true;
            }
        }
        return false;
    }

    // Negative for what is no digit, and stays so when it is shifted.
    private static int Hex(char digit) => digit switch
    {
        >= '0' and <= '9' => digit - '0',
        >= 'a' and <= 'f' => digit - 'a' + 10,
        >= 'A' and <= 'F' => digit - 'A' + 10,
        _ => -1,
    };

    // RFC 3986 section 2.3.
    private static bool IsUnreserved(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~';
}
