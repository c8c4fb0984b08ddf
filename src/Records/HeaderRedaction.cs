using System;
using System.Collections.Generic;
using Postern.Policy;

namespace Postern.Records;

/// <summary>
/// Which header values must not be shown. Two sources: a fixed list of names that carry credentials, and the request's own
/// <see cref="HeaderMatchLog"/>, where policy names the headers that it compares with an SDS secret, and marks some with the value <see cref="Mark"/>.
/// The second one cannot be switched off.
/// </summary>
public sealed class HeaderRedaction
{
    /// <summary>What stands in place of a value.</summary>
    public const string Mark = "[redacted]";

    /// <summary>Names that carry credentials or session tokens by convention.</summary>
    public static readonly IReadOnlyList<string> DefaultNames =
    [
        "authorization", "proxy-authorization", "authentication-info", "proxy-authentication-info",
        "cookie", "cookie2", "set-cookie", "set-cookie2",
        "api-key", "apikey", "x-api-key", "x-goog-api-key", "x-functions-key", "ocp-apim-subscription-key",
        "x-auth-token", "x-access-token", "x-session-token", "x-csrf-token", "x-xsrf-token",
        "x-amz-security-token", "x-vault-token", "x-consul-token", "private-token", "x-auth-key", "x-hub-signature", "x-hub-signature-256",
    ];

    /// <summary>Hides nothing but what policy marked.</summary>
    public static readonly HeaderRedaction MarkedOnly = new([]);

    // By length of the name: most headers meet an empty bucket, or one or two candidates.
    private readonly string[][] byLength = new string[64][];
    private readonly string[] longer;

    /// <summary>Hides the values of these names (without case), and what policy marked.</summary>
    public HeaderRedaction(IReadOnlyCollection<string> names)
    {
        var rest = new List<string>();
        var buckets = new List<string>[byLength.Length];
        foreach (var name in names)
        {
            (name.Length < buckets.Length ? buckets[name.Length] ??= [] : rest).Add(name);
        }

        for (var i = 0; i < buckets.Length; i++)
        {
            byLength[i] = buckets[i]?.ToArray() ?? [];
        }

        longer = [.. rest];
    }

    /// <summary>True when the list names this header.</summary>
    public bool Names(ReadOnlySpan<char> name)
    {
        foreach (var candidate in name.Length < byLength.Length ? byLength[name.Length] : longer)
        {
            if (name.Equals(candidate, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>True when policy marked any header of the request; only then need <see cref="IsMarked"/> be asked.</summary>
    public static bool HasMarks(HeaderMatchLog? log) => log is not null && (log.SecretHeaders.Count > 0 || HasMark(log.Missing) || HasMark(log.Rejected));

    /// <summary>True when policy marked this header as holding a secret.</summary>
    public static bool IsMarked(HeaderMatchLog log, ReadOnlySpan<char> name) =>
        IsSecret(log.SecretHeaders, name) || IsMarkedIn(log.Missing, name) || IsMarkedIn(log.Rejected, name);

    private static bool IsSecret(IReadOnlyList<string> names, ReadOnlySpan<char> name)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (name.Equals(names[i], StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static bool HasMark(IReadOnlyList<KeyValuePair<string, string>> pairs)
    {
        for (var i = 0; i < pairs.Count; i++)
        {
            if (pairs[i].Value == Mark)
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsMarkedIn(IReadOnlyList<KeyValuePair<string, string>> pairs, ReadOnlySpan<char> name)
    {
        for (var i = 0; i < pairs.Count; i++)
        {
            if (pairs[i].Value == Mark && name.Equals(pairs[i].Key, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
