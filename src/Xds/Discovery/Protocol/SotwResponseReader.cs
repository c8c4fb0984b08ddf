using System;
using System.Buffers;
using System.Collections.Generic;
using Envoy.Service.Discovery.V3;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>
/// State of one multiplexer, owned by its loop: reads <c>DiscoveryResponse</c>. In state of the world nearly everything has been there before,
/// so resources are taken from the response before where their bytes are the same. Holds one response per type.
/// </summary>
internal sealed class SotwResponseReader
{
    private const ulong ResourcesTag = DiscoveryResponse.ResourcesFieldNumber << 3 | 2;

    private readonly Dictionary<string, RepeatedBodies> types = new(StringComparer.Ordinal); // of our types, and "" for any other

    /// <summary>As the generated parser does.</summary>
    /// <exception cref="Google.Protobuf.InvalidProtocolBufferException">The bytes are no such message.</exception>
    public DiscoveryResponse Read(ReadOnlySequence<byte> bytes)
    {
        var rest = new ArrayBufferWriter<byte>(256);
        if (Scan(bytes, rest) is not { } count)
        {
            return DiscoveryResponse.Parser.ParseFrom(bytes); // it says what is wrong
        }
        var response = DiscoveryResponse.Parser.ParseFrom(rest.WrittenSpan);
        if (count == 0)
        {
            return response;
        }
        var key = ResourceType.Find(response.TypeUrl)?.TypeUrl ?? "";
        if (!types.TryGetValue(key, out var bodies))
        {
            types.Add(key, bodies = new RepeatedBodies());
        }
        response.Resources.Capacity = count;
        var reader = new SequenceReader<byte>(bytes);
        while (TryReadField(ref reader, out var tag, out var content))
        {
            if (tag == ResourcesTag)
            {
                response.Resources.Add(bodies.Take(content));
            }
        }
        bodies.End();
        return response;
    }

    // Copies all other fields; null when the bytes are not what an encoder writes.
    private static int? Scan(in ReadOnlySequence<byte> bytes, ArrayBufferWriter<byte> rest)
    {
        var count = 0;
        var reader = new SequenceReader<byte>(bytes);
        while (!reader.End)
        {
            var start = reader.Position;
            if (!TryReadField(ref reader, out var tag, out _))
            {
                return null;
            }
            if (tag == ResourcesTag)
            {
                count++;
                continue;
            }
            foreach (var part in bytes.Slice(start, reader.Position))
            {
                rest.Write(part.Span);
            }
        }
        return count;
    }

    // Content is that of fields with a length. Groups are left to the generated parser.
    private static bool TryReadField(ref SequenceReader<byte> reader, out ulong tag, out ReadOnlySequence<byte> content)
    {
        content = default;
        if (!TryReadVarint(ref reader, out tag))
        {
            return false;
        }
        switch (tag & 7)
        {
            case 0:
                return TryReadVarint(ref reader, out _);
            case 1:
                return reader.TryReadExact(8, out _);
            case 2:
                return TryReadVarint(ref reader, out var length) && length <= int.MaxValue && reader.TryReadExact((int)length, out content);
            case 5:
                return reader.TryReadExact(4, out _);
            default:
                return false;
        }
    }

    private static bool TryReadVarint(ref SequenceReader<byte> reader, out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 64 && reader.TryRead(out var next); shift += 7)
        {
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return true;
            }
        }
        return false;
    }
}
