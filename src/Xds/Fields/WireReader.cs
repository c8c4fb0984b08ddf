using System;
using Google.Protobuf;

namespace Postern.Xds.Fields;

/// <summary>
/// Walks the fields of an encoded message without copying. Stricter than the generated parsers where they are lax (overlong tags and
/// lengths), so that it never sees other fields than they do.
/// </summary>
internal ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> rest = bytes;

    /// <summary>Whether all was read.</summary>
    public readonly bool AtEnd => rest.IsEmpty;

    /// <summary>Number and wire type of the next field; false when malformed.</summary>
    public bool TryReadTag(out int number, out WireFormat.WireType type)
    {
        var well = TryReadVarint(out var tag) && tag <= uint.MaxValue;
        number = (int)(tag >> 3);
        type = (WireFormat.WireType)(tag & 7);
        return well && number > 0;
    }

    /// <summary>A length-delimited value; false when malformed.</summary>
    public bool TryReadBytes(out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!TryReadVarint(out var length) || length > (ulong)rest.Length)
        {
            return false;
        }
        value = rest[..(int)length];
        rest = rest[(int)length..];
        return true;
    }

    /// <summary>Passes over a value that is not length-delimited; groups are malformed, proto3 has none.</summary>
    public bool TrySkip(WireFormat.WireType type)
    {
        switch (type)
        {
            case WireFormat.WireType.Varint:
                return TryReadVarint(out _);
            case WireFormat.WireType.Fixed32:
                return TrySkip(sizeof(uint));
            case WireFormat.WireType.Fixed64:
                return TrySkip(sizeof(ulong));
            case WireFormat.WireType.LengthDelimited:
                return TryReadBytes(out _);
            default:
                return false;
        }
    }

    /// <summary>At most ten bytes.</summary>
    public bool TryReadVarint(out ulong value)
    {
        value = 0;
        for (var i = 0; i < rest.Length && i < 10; i++)
        {
            value |= (ulong)(rest[i] & 0x7F) << (7 * i);
            if (rest[i] < 0x80)
            {
                rest = rest[(i + 1)..];
                return true;
            }
        }
        return false;
    }

    private bool TrySkip(int count)
    {
        if (rest.Length < count)
        {
            return false;
        }
        rest = rest[count..];
        return true;
    }
}
