using System;
using System.Buffers;
using System.Text;

namespace Postern.Grpc.Headers;

/// <summary><c>grpc-message</c>: UTF-8, percent-encoded where a byte is not printable ASCII or is '%'.</summary>
internal static class StatusMessage
{
    private const int MaxBytes = 4096; // a header block has to fit; what is longer is cut

    public static string Encode(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var encoded = new StringBuilder(bytes.Length);
        var length = Cut(bytes);
        for (var i = 0; i < length; i++)
        {
            var value = bytes[i];
            // HTTP drops spaces at both ends of a value.
            var atAnEnd = i == 0 || i == length - 1;
            if (value is >= 0x20 and <= 0x7E and not (byte)'%' && !(value == ' ' && atAnEnd))
            {
                encoded.Append((char)value);
            }
            else
            {
                encoded.Append('%').Append(Convert.ToHexString(bytes, i, 1));
            }
        }
        return encoded.ToString();
    }

    /// <summary>Never fails: what is no valid escape stays as it is, what is no UTF-8 becomes U+FFFD.</summary>
    public static string Decode(string encoded)
    {
        var bytes = new ArrayBufferWriter<byte>(encoded.Length + 1);
        for (var i = 0; i < encoded.Length; i++)
        {
            var c = encoded[i];
            if (c == '%' && i + 2 < encoded.Length && char.IsAsciiHexDigit(encoded[i + 1]) && char.IsAsciiHexDigit(encoded[i + 2]))
            {
                bytes.Write([(byte)((Digit(encoded[i + 1]) << 4) | Digit(encoded[i + 2]))]);
                i += 2;
            }
            else
            {
                // A char of a header is one byte of it; a peer that did not encode has sent its UTF-8 as it was.
                bytes.Write([c <= 0xFF ? (byte)c : (byte)'?']);
            }
        }
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    private static int Digit(char c) => c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;

    // Not in the middle of a code point.
    private static int Cut(byte[] bytes)
    {
        var length = Math.Min(bytes.Length, MaxBytes);
        while (length > 0 && length < bytes.Length && (bytes[length] & 0xC0) == 0x80)
        {
            length--;
        }
        return length;
    }
}
