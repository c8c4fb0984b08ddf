using System;
using System.Collections.Generic;
using Postern.Policy;

namespace Postern.Records.AccessLog;

/// <summary>
/// A record as one serialised <c>cilium.LogEntry</c> of bounded size. The agent reads with a buffer of 4096 bytes and discards a longer packet
/// whole, so room is given by rank: addresses, identities, status, scheme, method, host and path first (path and host are cut if they alone are
/// too long), then missing and rejected headers, then x-request-id and the other headers in order; a header that does not fit is left out.
/// Which header goes where is Cilium's rule, see <c>docs/records.md</c>. Does not allocate. Stateless.
/// </summary>
public static class LogEntryEncoder
{
    /// <summary>Smallest bound accepted: the fixed fields need it.</summary>
    public const int MinMessageSize = 1024;

    private const int HttpField = 100;
    private const int HttpTagSize = 2;

    /// <summary>Serialises into <paramref name="buffer"/>, whose length is the bound.</summary>
    /// <param name="record">The record.</param>
    /// <param name="buffer">At least <see cref="MinMessageSize"/> bytes.</param>
    /// <param name="truncated">True when something was cut or left out for want of room.</param>
    /// <returns>Bytes written.</returns>
    public static int Encode(VisibilityRecord record, Span<byte> buffer, out bool truncated)
    {
        var name = buffer.Length / 16;
        var proto = new ProtoCursor(buffer);
        proto.Number(1, record.TimestampNanos);
        proto.Number(3, (ulong)record.EntryType);
        truncated = proto.String(4, record.PolicyName, name);
        proto.Number(6, record.SourceIdentity);
        truncated |= proto.String(7, record.SourceAddress, name);
        truncated |= proto.String(8, record.DestinationAddress, name);
        proto.Number(15, record.Direction == TrafficDirection.Ingress ? 1u : 0u);
        proto.Number(16, record.DestinationIdentity);
        proto.Number(17, record.ProxyId);
        if (record.Http is not { } http)
        {
            return proto.Length;
        }

        // The length of the nested message stands before it and is known after it: leave room for the longest, then close the gap.
        var head = proto.Length + HttpTagSize;
        var gap = ProtoCursor.VarintSize((uint)(buffer.Length - head));
        var size = Http(record, http, buffer[(head + gap)..], ref truncated);
        proto.Head(HttpField, size);
        if (proto.Length != head + gap)
        {
            buffer.Slice(head + gap, size).CopyTo(buffer[proto.Length..]);
        }

        return proto.Length + size;
    }

    private static int Http(VisibilityRecord record, HttpRecord http, Span<byte> room, ref bool truncated)
    {
        var proto = new ProtoCursor(room);
        proto.Number(1, (ulong)http.Protocol);
        proto.Number(7, http.Status);
        var marks = HeaderRedaction.HasMarks(http.HeaderMatches) ? http.HeaderMatches : null;
        var request = http.Request;
        truncated |= proto.String(2, Scheme(http, marks), room.Length / 32);
        if (request is not null)
        {
            truncated |= proto.String(5, Shown(marks, ":method", request.Method), room.Length / 32);
            truncated |= proto.String(3, Shown(marks, ":authority", Shown(marks, "host", request.Authority)), room.Length / 8);

            // The path may take all that is left: 3 bytes of tag and length (the length of a bound beyond 16 KiB has one more).
            truncated |= proto.String(4, Shown(marks, ":path", request.Path), room.Length - proto.Length - 4);
        }

        if (http.HeaderMatches is { } matches)
        {
            Pairs(ref proto, room.Length, 8, matches.Missing, ref truncated);
            Pairs(ref proto, room.Length, 9, matches.Rejected, ref truncated);
        }

        if (record.EntryType == EntryType.Response)
        {
            ResponseHeaders(ref proto, room.Length, http, marks, ref truncated);
        }
        else if (request is not null)
        {
            RequestHeaders(ref proto, room.Length, request, marks, ref truncated);
        }

        return proto.Length;
    }

    // Every request header but those with a field of their own. Envoy's map holds :scheme too, and Cilium leaves it in.
    private static void RequestHeaders(ref ProtoCursor proto, int limit, IHttpPolicyRequest request, HeaderMatchLog? marks, ref bool truncated)
    {
        if (!request.Scheme.IsEmpty)
        {
            Pair(ref proto, limit, 6, ":scheme", request.Scheme, ref truncated);
        }

        for (var i = 0; i < request.Count; i++)
        {
            var name = request.NameAt(i);
            if (Is(name, "host") || Is(name, "x-forwarded-proto"))
            {
                continue;
            }

            Pair(ref proto, limit, 6, name, Shown(marks, name, request.ValueAt(i)), ref truncated);
        }
    }

    // x-request-id of the request first, then the response's headers; the same id is not repeated.
    private static void ResponseHeaders(ref ProtoCursor proto, int limit, HttpRecord http, HeaderMatchLog? marks, ref bool truncated)
    {
        var requestId = Find(http.Request, "x-request-id", out var found);
        if (found)
        {
            Pair(ref proto, limit, 6, "x-request-id", Shown(marks, "x-request-id", requestId), ref truncated);
        }

        if (http.ResponseHeaders is not { } response)
        {
            return;
        }

        for (var i = 0; i < response.Count; i++)
        {
            var name = response.NameAt(i);
            var value = response.ValueAt(i);
            if (found && Is(name, "x-request-id") && value.SequenceEqual(requestId))
            {
                continue;
            }

            Pair(ref proto, limit, 6, name, Shown(marks, name, value), ref truncated);
        }

        // The message has no list for trailers, and how a call ended must not be lost.
        for (var i = 0; i < (http.ResponseTrailers?.Count ?? 0); i++)
        {
            var name = http.ResponseTrailers!.NameAt(i);
            if (Is(name, "grpc-status") || Is(name, "grpc-message"))
            {
                Pair(ref proto, limit, 6, name, Shown(marks, name, http.ResponseTrailers.ValueAt(i)), ref truncated);
            }
        }
    }

    private static ReadOnlySpan<char> Scheme(HttpRecord http, HeaderMatchLog? marks)
    {
        var forwarded = Find(http.Request, "x-forwarded-proto", out var found);
        return found ? Shown(marks, "x-forwarded-proto", forwarded) : http.Scheme;
    }

    private static ReadOnlySpan<char> Find(IHttpPolicyRequest? request, string name, out bool found)
    {
        for (var i = 0; request is not null && i < request.Count; i++)
        {
            if (Is(request.NameAt(i), name))
            {
                found = true;
                return request.ValueAt(i);
            }
        }

        found = false;
        return default;
    }

    private static void Pairs(ref ProtoCursor proto, int limit, int field, IReadOnlyList<KeyValuePair<string, string>> pairs, ref bool truncated)
    {
        for (var i = 0; i < pairs.Count; i++)
        {
            Pair(ref proto, limit, field, pairs[i].Key, pairs[i].Value, ref truncated);
        }
    }

    // cilium.KeyValue { key = 1; value = 2 }, or nothing when it does not fit.
    private static void Pair(ref ProtoCursor proto, int limit, int field, ReadOnlySpan<char> name, ReadOnlySpan<char> value, ref bool truncated)
    {
        // A value longer than the room cannot fit, whatever it holds: do not even look at it.
        if (name.Length + value.Length > limit - proto.Length)
        {
            truncated = true;
            return;
        }

        var nameSize = ProtoCursor.TextSize(name);
        var valueSize = ProtoCursor.TextSize(value);
        var size = FieldSize(nameSize) + FieldSize(valueSize);
        if (1 + ProtoCursor.VarintSize((uint)size) + size > limit - proto.Length)
        {
            truncated = true;
            return;
        }

        proto.Head(field, size);
        if (nameSize != 0)
        {
            proto.Head(1, nameSize);
            proto.LowerText(name);
        }

        if (valueSize != 0)
        {
            proto.Head(2, valueSize);
            proto.Text(value);
        }
    }

    private static int FieldSize(int size) => size == 0 ? 0 : 1 + ProtoCursor.VarintSize((uint)size) + size;

    private static bool Is(ReadOnlySpan<char> name, string other) =>
        name.Length == other.Length && name.Equals(other, StringComparison.OrdinalIgnoreCase);

    private static ReadOnlySpan<char> Shown(HeaderMatchLog? marks, ReadOnlySpan<char> name, ReadOnlySpan<char> text) =>
        marks is not null && HeaderRedaction.IsMarked(marks, name) ? HeaderRedaction.Mark : text;
}
