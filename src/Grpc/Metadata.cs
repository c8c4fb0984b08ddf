using System;
using System.Collections;
using System.Collections.Generic;

namespace Postern.Grpc;

/// <summary>Headers or trailers of a call, in order; names repeat. Names are lower case; those that end in <c>-bin</c> hold bytes.</summary>
public sealed class Metadata : IReadOnlyList<Metadata.Entry>
{
    private readonly List<Entry> entries = [];

    /// <inheritdoc/>
    public int Count => entries.Count;

    /// <inheritdoc/>
    public Entry this[int index] => entries[index];

    /// <summary>Adds a text.</summary>
    public void Add(string key, string value) => entries.Add(new Entry(Name(key), value, null));

    /// <summary>Adds bytes; the name ends in <c>-bin</c>.</summary>
    public void Add(string key, byte[] value) => entries.Add(new Entry(Name(key), null, value));

    /// <summary>The text of the last entry of that name, or null.</summary>
    public string? GetValue(string key) => Last(key)?.Value;

    /// <summary>The bytes of the last entry of that name, or null.</summary>
    public byte[]? GetValueBytes(string key) => Last(key)?.ValueBytes;

    /// <inheritdoc/>
    public IEnumerator<Entry> GetEnumerator() => entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => entries.GetEnumerator();

    private Entry? Last(string key)
    {
        for (var i = entries.Count - 1; i >= 0; i--)
        {
            if (string.Equals(entries[i].Key, key, StringComparison.OrdinalIgnoreCase))
            {
                return entries[i];
            }
        }
        return null;
    }

    private static string Name(string key) =>
        key.Length > 0 ? key.ToLowerInvariant() : throw new ArgumentException("a metadata name must not be empty", nameof(key));

    /// <summary>One entry.</summary>
    /// <param name="Key">Lower case.</param>
    /// <param name="Value">Text, or null when binary.</param>
    /// <param name="ValueBytes">Bytes, or null when text.</param>
    public sealed record Entry(string Key, string? Value, byte[]? ValueBytes)
    {
        /// <summary>Whether the name ends in <c>-bin</c>.</summary>
        public bool IsBinary => Key.EndsWith("-bin", StringComparison.Ordinal);
    }
}
