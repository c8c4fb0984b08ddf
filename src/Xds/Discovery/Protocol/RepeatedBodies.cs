using System;
using System.Buffers;
using System.Collections.Generic;
using System.Text;
using Google.Protobuf.WellKnownTypes;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>
/// State of one (stream, type), owned by its reader: the resources of the response before, by the hash of their bytes. One that comes again is
/// the same object again, in whatever order, and costs neither memory nor decoding.
/// </summary>
internal sealed class RepeatedBodies
{
    private const byte TypeUrlTag = 1 << 3 | 2, ValueTag = 2 << 3 | 2;

    private Dictionary<ulong, Any> before = [];
    private Dictionary<ulong, Any> now = [];
    private string typeUrl = "";

    /// <summary>The resource in these bytes, which are an encoded <c>Any</c>.</summary>
    /// <exception cref="Google.Protobuf.InvalidProtocolBufferException">They are none.</exception>
    public Any Take(in ReadOnlySequence<byte> encoded)
    {
        var bytes = encoded.IsSingleSegment ? encoded.FirstSpan : encoded.ToArray();
        var hash = SeededHash.Of(bytes);
        if (!before.TryGetValue(hash, out var any) || !IsEncodingOf(any, bytes))
        {
            any = Any.Parser.ParseFrom(bytes);
            any.TypeUrl = typeUrl = any.TypeUrl == typeUrl ? typeUrl : any.TypeUrl; // one string for all of them
        }
        now[hash] = any;
        return any;
    }

    /// <summary>The response is complete.</summary>
    public void End()
    {
        (before, now) = (now, before);
        now.Clear();
        if (now.Capacity > 64 && before.Count < now.Capacity / 4)
        {
            now.TrimExcess();
        }
    }

    /// <summary>Whether the bytes are that message in the form that every encoder gives it. Another form of the same is a miss, no mistake.</summary>
    private static bool IsEncodingOf(Any any, ReadOnlySpan<byte> bytes) =>
        TryCut(ref bytes, TypeUrlTag, out var url)
        && TryCut(ref bytes, ValueTag, out var value)
        && bytes.IsEmpty
        && Ascii.Equals(url, any.TypeUrl)
        && value.SequenceEqual(any.Value.Span);

    private static bool TryCut(ref ReadOnlySpan<byte> bytes, byte tag, out ReadOnlySpan<byte> field)
    {
        field = default;
        if (bytes.IsEmpty || bytes[0] != tag)
        {
            return false;
        }
        var length = 0UL;
        var at = 1;
        for (var shift = 0; ; shift += 7)
        {
            if (at == bytes.Length || shift > 28)
            {
                return false;
            }
            length |= (ulong)(bytes[at] & 0x7f) << shift;
            if (bytes[at++] < 0x80)
            {
                break;
            }
        }
        if (length > (ulong)(bytes.Length - at))
        {
            return false;
        }
        field = bytes.Slice(at, (int)length);
        bytes = bytes[(at + (int)length)..];
        return true;
    }
}
