using System;
using System.Collections.Generic;
using System.Numerics;

namespace Postern.Policy.Compile;

/// <summary>
/// Identity → rule class, with a look-up that costs about the same for ten identities as for a hundred thousand. What would grow is cache
/// misses, so the table is kept small and dense: open addressing with linear probing over bare 4-byte identities, at most three quarters
/// full (16 to a cache line: a probe rarely leaves its line), and the classes beside them in one byte each while there are at most 256.
/// Equal tables are kept once, whatever ports use them.
/// </summary>
internal sealed class IdentityTable : IEquatable<IdentityTable>
{
    public const int Absent = -1;

    public static readonly IdentityTable Empty = new([]);

    private readonly uint[] identities; // 0 is free; identity 0 itself stands apart
    private readonly byte[] small = [];
    private readonly int[] large = [];
    private readonly int classOfZero = Absent;
    private readonly int shift;
    private readonly int hash;

    /// <param name="entries">Distinct identities with their class; gets sorted by identity, so that equal sets give equal tables.</param>
    public IdentityTable(KeyValuePair<uint, int>[] entries)
    {
        Array.Sort(entries, static (a, b) => a.Key.CompareTo(b.Key));
        var size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, (entries.Length * 4L / 3) + 1));
        shift = 32 - BitOperations.Log2((uint)size);
        identities = new uint[size];
        var classes = new int[size];
        var largest = 0;
        var code = default(HashCode);
        foreach (var (identity, @class) in entries)
        {
            code.Add(identity);
            code.Add(@class);
            largest = Math.Max(largest, @class);
            if (identity == 0)
            {
                classOfZero = @class;
                continue;
            }
            var at = Home(identity);
            while (identities[at] != 0)
            {
                at = (at + 1) & (size - 1);
            }
            identities[at] = identity;
            classes[at] = @class;
        }
        if (largest <= byte.MaxValue)
        {
            small = Array.ConvertAll(classes, static value => (byte)value);
        }
        else
        {
            large = classes;
        }
        hash = code.ToHashCode();
    }

    public int Find(uint identity)
    {
        if (identity == 0)
        {
            return classOfZero;
        }
        var table = identities;
        var at = Home(identity);
        while (true)
        {
            var present = table[at];
            if (present == identity)
            {
                return small.Length > 0 ? small[at] : large[at];
            }
            if (present == 0)
            {
                return Absent;
            }
            at = (at + 1) & (table.Length - 1);
        }
    }

    public bool Equals(IdentityTable? other) =>
        ReferenceEquals(this, other)
        || (other is not null && hash == other.hash && classOfZero == other.classOfZero && identities.AsSpan().SequenceEqual(other.identities)
            && small.AsSpan().SequenceEqual(other.small) && large.AsSpan().SequenceEqual(other.large));

    public override bool Equals(object? obj) => Equals(obj as IdentityTable);

    public override int GetHashCode() => hash;

    private int Home(uint identity) => (int)((identity * 0x9E3779B1u) >> shift);
}
