using System;
using System.Buffers;
using System.Collections;
using System.Collections.Generic;

namespace Postern.Grpc;

/// <summary>Headers or trailers of a call, in order; names repeat. Names are lower case; those that end in <c>-bin</c> hold bytes.</summary>
public sealed class Metadata : IReadOnlyList<Metadata.Entry>
{
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_.");

    private readonly List<Entry> entries = [];

    /// <inheritdoc/>
    public int Count => entries.Count;

    /// <inheritdoc/>
    public Entry this[int index] => entries[index];

    /// <summary>Adds a text.</summary>
    /// <exception cref="ArgumentException">The name is none, ends in <c>-bin</c>, or the text is not printable ASCII.</exception>
    public void Add(string key, string value)
    {
        if (!IsText(value))
        {
            throw new ArgumentException($"metadata '{key}' holds a character that is not printable ASCII; bytes go into a name that ends in -bin", nameof(value));
        }
        entries.Add(new Entry(Name(key, binary: false), value, null));
    }

    /// <summary>Adds bytes; the name ends in <c>-bin</c>.</summary>
    /// <exception cref="ArgumentException">The name is none, or does not end in <c>-bin</c>.</exception>
    public void Add(string key, byte[] value) => entries.Add(new Entry(Name(key, binary: true), null, value));

    internal void Add(Entry entry) => entries.Add(entry);

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

    internal static bool IsName(ReadOnlySpan<char> key) => key.Length > 0 && !key.ContainsAnyExcept(NameCharacters);

    internal static bool IsText(ReadOnlySpan<char> value) => !value.ContainsAnyExceptInRange(' ', '~');

    private static string Name(string key, bool binary)
    {
        var name = key.ToLowerInvariant();
        if (!IsName(name))
        {
            throw new ArgumentException($"'{key}' is no metadata name: letters, digits, '-', '_' and '.' only", nameof(key));
        }
        return name.EndsWith("-bin", StringComparison.Ordinal) == binary
            ? name
            : throw new ArgumentException($"metadata '{key}': bytes have a name that ends in -bin, text has not", nameof(key));
    }

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
