using System;
using System.Collections.Generic;

namespace Postern.Xds.Text;

/// <summary>"Did you mean": the closest known name, when it is close enough to be a slip of the finger.</summary>
internal static class NearMiss
{
    private const int MaxLength = 128; // longer names are not compared: the cost is the product of the lengths

    /// <summary>The closest of <paramref name="known"/>, or null.</summary>
    public static string? Find(string name, IEnumerable<string> known)
    {
        if (name.Length is 0 or > MaxLength)
        {
            return null;
        }
        string? best = null;
        var bestDistance = Math.Clamp(name.Length / 3, 1, 3) + 1;
        foreach (var candidate in known)
        {
            if (Math.Abs(candidate.Length - name.Length) < bestDistance)
            {
                var distance = Distance(name, candidate);
                if (distance < bestDistance)
                {
                    (best, bestDistance) = (candidate, distance);
                }
            }
        }
        return best;
    }

    // Levenshtein by rows, ignoring case.
    private static int Distance(string a, string b)
    {
        Span<int> row = stackalloc int[MaxLength + 8];
        for (var j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                var cost = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1;
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, diagonal + cost);
                diagonal = above;
            }
        }
        return row[b.Length];
    }
}
