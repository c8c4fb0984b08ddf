using System;
using System.Collections.Generic;
using Postern.Proxy.Http2.Hpack;

namespace Postern.Tests.Proxy.Http2.Hpack;

/// <summary>An encoder with its buffer: fields as text in, blocks out.</summary>
internal sealed class EncodedBlocks
{
    private byte[] buffer = [];

    public HpackEncoder Encoder { get; } = new();

    public byte[] Encode(string fields)
    {
        var list = new List<(string, string, bool)>();
        foreach (var field in fields.Split('|'))
        {
            var text = field.TrimStart('!');
            var colon = text.IndexOf(": ", 1, StringComparison.Ordinal);
            list.Add((text[..colon], text[(colon + 2)..], field.StartsWith('!')));
        }
        return Encode(list);
    }

    public byte[] Encode(IEnumerable<(string Name, string Value, bool NeverIndexed)> fields)
    {
        var at = Encoder.Begin(ref buffer, 0);
        foreach (var (name, value, neverIndexed) in fields)
        {
            at = Encoder.Encode(name, value, ref buffer, at, neverIndexed);
        }
        return buffer[..at];
    }
}
