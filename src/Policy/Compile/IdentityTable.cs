using System;
using System.Collections.Generic;
using System.Numerics;

namespace Postern.Policy.Compile;

/// <summary>
/// Identity → rule class. Open addressing in one array of 8-byte slots at most half full, so that a look-up costs one cache line
/// whatever the number of identities. Equal tables are kept once (<see cref="Equals(IdentityTable)"/>), whatever ports use them.
/// </summary>
internal sealed class IdentityTable : IEquatable<IdentityTable>
{
    public const int Absent = -1;

    public static readonly IdentityTable Empty = new([]);

    private readonly ulong[] slots; // identity << 32 | class + 1; 0 is free
    private readonly int shift;
    private readonly int hash;

    /// <param name="entries">Distinct identities with their class; sorted by identity, so that equal sets give equal tables.</param>
    public IdentityTable(KeyValuePair<uint, int>[] entries)
    {
        Array.Sort(entries, static (a, b) => a.Key.CompareTo(b.Key));
        var size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, entries.Length * 2));
        shift = 32 - BitOperations.Log2((uint)size);
        slots = new ulong[size];
        var code = default(HashCode);
        foreach (var (identity, @class) in entries)
        {
            var at = Home(identity);
            while (slots[at] != 0)
            {
                at = (at + 1) & (size - 1);
            }
            slots[at] = ((ulong)identity << 32) | (uint)(@class + 1);
            code.Add(identity);
            code.Add(@class);
        }
        hash = code.ToHashCode();
    }

    public int Find(uint identity)
    {
        var table = slots;
        var at = Home(identity);
        while (true)
        {
            var slot = table[at];
            if (slot == 0)
            {
                return Absent;
            }
            if ((uint)(slot >> 32) == identity)
            {
                return (int)(uint)slot - 1;
            }
            at = (at + 1) & (table.Length - 1);
        }
    }

    public bool Equals(IdentityTable? other) => other is not null && hash == other.hash && slots.AsSpan().SequenceEqual(other.slots);

    public override bool Equals(object? obj) => Equals(obj as IdentityTable);

    public override int GetHashCode() => hash;

    private int Home(uint identity) => (int)((identity * 0x9E3779B1u) >> shift);
}
