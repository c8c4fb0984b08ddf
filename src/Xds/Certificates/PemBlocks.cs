using System;
using System.Collections.Generic;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Xds.Certificates;

/// <summary>
/// The blocks of a PEM text, all of one label. Text between blocks is passed over, as everywhere; what begins like a block and is none, or is one
/// of another label, is an error: the library's own readers skip it, and so a damaged certificate or list would be missing without a word.
/// </summary>
public static class PemBlocks
{
    private const string Begin = "-----BEGIN";

    /// <summary>Reads the DER of every block.</summary>
    /// <param name="pem">The text.</param>
    /// <param name="label">Such as <c>CERTIFICATE</c>.</param>
    /// <param name="max">How many there may be.</param>
    /// <param name="into">Gets them, in order.</param>
    /// <returns>Null, or what is wrong; shows nothing of the content.</returns>
    public static string? Read(ReadOnlySpan<byte> pem, string label, int max, List<byte[]> into)
    {
        ReadOnlySpan<char> rest = Encoding.Latin1.GetString(pem);
        while (PemEncoding.TryFind(rest, out var found))
        {
            if (rest[..found.Location.Start].Contains(Begin, StringComparison.Ordinal))
            {
                return $"holds a PEM block that is damaged, before block {into.Count + 1} of {label}";
            }
            if (!rest[found.Label].SequenceEqual(label))
            {
                return $"holds a PEM block other than {label}; keep only those";
            }
            if (into.Count == max)
            {
                return $"holds more than {max} PEM blocks";
            }
            var der = new byte[found.DecodedDataLength];
            if (!Convert.TryFromBase64Chars(rest[found.Base64Data], der, out var length) || length != der.Length)
            {
                return $"holds a PEM block that is damaged, block {into.Count + 1} of {label}";
            }
            into.Add(der);
            rest = rest[found.Location.End..];
        }
        return rest.Contains(Begin, StringComparison.Ordinal) ? $"holds a PEM block that is damaged, after block {into.Count} of {label}"
            : into.Count == 0 ? $"holds no PEM {label.ToLowerInvariant()} (-----BEGIN {label}-----)"
            : null;
    }
}
