using System;
using System.Collections.Generic;
using System.Text;

namespace Postern.Tests.Proxy.Http2;

/// <summary>Header blocks as literals: plain text without index, so that anything can be said.</summary>
internal static class Block
{
    /// <summary>Fields divided by '|', name and value by the first ": " behind the first character; a '!' in front asks never to be indexed.</summary>
    public static byte[] Of(string fields)
    {
        var block = new List<byte>();
        foreach (var field in fields.Split('|'))
        {
            var text = field.TrimStart('!');
            var colon = text.Length == 0 ? -1 : text.IndexOf(": ", text.StartsWith(": ", StringComparison.Ordinal) ? 0 : 1, StringComparison.Ordinal);
            Assert.True(colon >= 0, $"no field: {field}");
            block.Add(field.StartsWith('!') ? (byte)0x10 : (byte)0);
            AddText(block, text[..colon]);
            AddText(block, text[(colon + 2)..]);
        }
        return [.. block];
    }

    /// <summary>Bytes of hexadecimal digits; blanks are ignored.</summary>
    public static byte[] Hex(string digits) => Convert.FromHexString(digits.Replace(" ", "", StringComparison.Ordinal));

    private static void AddText(List<byte> block, string text)
    {
        var length = text.Length;
        if (length < 127)
        {
            block.Add((byte)length);
        }
        else
        {
            block.Add(127);
            for (length -= 127; length >= 128; length >>= 7)
            {
                block.Add((byte)(128 | (length & 127)));
            }
            block.Add((byte)length);
        }
        block.AddRange(Encoding.Latin1.GetBytes(text));
    }
}
