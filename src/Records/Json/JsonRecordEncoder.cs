using System;
using System.Collections.Generic;
using Postern.Policy;

namespace Postern.Records.Json;

/// <summary>
/// Turns a record into one line of JSON, newline included, without allocating. Members and their order are in <c>docs/records.md</c>.
/// Immutable, shared by all threads; the bytes live in a buffer of the calling thread.
/// </summary>
public sealed class JsonRecordEncoder
{
    [ThreadStatic]
    private static Scratch? scratch;

    private readonly HeaderDetail headerDetail;
    private readonly HeaderRedaction redaction;
    private readonly int limit;      // bytes of a line, newline included
    private readonly int small;      // budget of an ordinary string member: 1/32 of the limit
    private readonly int medium;     // budget of host, detail: 1/16
    private readonly int value;      // budget of one header value: 1/8
    private readonly int large;      // budget of path: 1/4

    /// <summary>Creates it.</summary>
    /// <exception cref="ArgumentException">MaxRecordBytes out of range.</exception>
    public JsonRecordEncoder(JsonRecordOptions? options = null)
    {
        options ??= new JsonRecordOptions();
        options.Validate();
        headerDetail = options.Headers;
        redaction = new HeaderRedaction(options.RedactedHeaders);
        limit = options.MaxRecordBytes;
        small = limit / 32;
        medium = limit / 16;
        value = limit / 8;
        large = limit / 4;
    }

    /// <summary>The line; valid until the next call on this thread.</summary>
    public ReadOnlySpan<byte> Encode(VisibilityRecord record)
    {
        // Eleven small, two medium and the large member take 3/4 of the limit at most; the overshoot of the header that is then undone
        // (one name, one value) needs the room beyond the limit.
        var size = limit + value + medium + 1024;
        var s = scratch;
        if (s is null || s.Buffer.Length < size)
        {
            scratch = s = new Scratch(size);
        }

        var json = new JsonCursor(s.Buffer);
        json.Raw("{\"time\":\""u8);
        json.Raw(s.Clock.Format(record.TimestampNanos));
        json.Raw(record.EntryType switch
        {
            EntryType.Request => "\",\"entry_type\":\"Request\""u8,
            EntryType.Response => "\",\"entry_type\":\"Response\""u8,
            _ => "\",\"entry_type\":\"Denied\""u8,
        });
        json.Raw(record.Direction == TrafficDirection.Ingress ? ",\"traffic_direction\":\"ingress\""u8 : ",\"traffic_direction\":\"egress\""u8);
        Member(ref json, ",\"policy_name\":"u8, record.PolicyName, small);
        Member(ref json, ",\"proxy_id\":"u8, record.ProxyId);
        json.Raw(",\"source_security_id\":"u8);
        json.Number(record.SourceIdentity);
        json.Raw(",\"destination_security_id\":"u8);
        json.Number(record.DestinationIdentity);
        Member(ref json, ",\"source_address\":"u8, record.SourceAddress, small);
        Member(ref json, ",\"destination_address\":"u8, record.DestinationAddress, small);
        Member(ref json, ",\"listener\":"u8, record.Listener, small);
        Member(ref json, ",\"sni\":"u8, record.Sni, small);
        json.Raw(RecordVerdict.Of(record) switch
        {
            Verdict.Forwarded => ",\"verdict\":\"forwarded\""u8,
            Verdict.Denied => ",\"verdict\":\"denied\""u8,
            _ => ",\"verdict\":\"error\""u8,
        });
        Member(ref json, ",\"reason\":"u8, record.Reason, small);
        Member(ref json, ",\"rule\":"u8, record.RuleName, small);
        Member(ref json, ",\"detail\":"u8, record.Detail, medium);
        Member(ref json, ",\"latency_us\":"u8, record.LatencyNanos / 1000);
        if (record.Http is { } http)
        {
            if (http.IsGrpc)
            {
                Grpc(ref json, record, http);
            }

            Http(ref json, record, http);
        }

        json.Raw("}\n"u8);
        return s.Buffer.AsSpan(0, json.Length);
    }

    private void Http(ref JsonCursor json, VisibilityRecord record, HttpRecord http)
    {
        json.Raw(http.Protocol switch
        {
            HttpProtocol.Http10 => ",\"http\":{\"protocol\":\"HTTP/1.0\""u8,
            HttpProtocol.Http11 => ",\"http\":{\"protocol\":\"HTTP/1.1\""u8,
            _ => ",\"http\":{\"protocol\":\"HTTP/2\""u8,
        });
        var marks = HeaderRedaction.HasMarks(http.HeaderMatches) ? http.HeaderMatches : null;
        Member(ref json, ",\"scheme\":"u8, http.Scheme, small);
        if (http.Request is { } request)
        {
            Member(ref json, ",\"host\":"u8, Shown(marks, ":authority", Shown(marks, "host", request.Authority)), medium);
            Member(ref json, ",\"method\":"u8, Shown(marks, ":method", request.Method), small);
            Member(ref json, ",\"path\":"u8, Shown(marks, ":path", request.Path), large);
        }

        Member(ref json, ",\"status\":"u8, http.Status);
        if (headerDetail != HeaderDetail.None)
        {
            Headers(ref json, record, http, marks);
        }

        json.Raw("}"u8);
    }

    // Path "/package.Service/Method"; one that a secret is compared with is not taken apart.
    private void Grpc(ref JsonCursor json, VisibilityRecord record, HttpRecord http)
    {
        var marks = HeaderRedaction.HasMarks(http.HeaderMatches) ? http.HeaderMatches : null;
        var path = http.Request is { } request && (marks is null || !HeaderRedaction.IsMarked(marks, ":path")) ? request.Path : default;
        var query = path.IndexOf('?');
        path = query < 0 ? path : path[..query];
        var cut = path.LastIndexOf('/');
        json.Raw(",\"grpc\":{\"service\":"u8);
        json.String(cut > 0 ? path[1..cut] : default, small);
        json.Raw(",\"method\":"u8);
        json.String(cut > 0 ? path[(cut + 1)..] : default, small);
        if (record.EntryType == EntryType.Response && http.GrpcStatus is { } status)
        {
            json.Raw(",\"status\":"u8);
            json.Number((ulong)status);
        }

        json.Raw("}"u8);
    }

    private void Headers(ref JsonCursor json, VisibilityRecord record, HttpRecord http, HeaderMatchLog? marks)
    {
        var left = 0;

        // What policy noted comes first: when room is short it outlives ordinary headers.
        if (http.HeaderMatches is { } matches)
        {
            left += Pairs(ref json, ",\"missing_headers\":["u8, matches.Missing);
            left += Pairs(ref json, ",\"rejected_headers\":["u8, matches.Rejected);
        }

        if (http.Request is { } request)
        {
            // The request's headers were shown by its own entry; the answer carries only what ties the two together, as upstream.
            left += Lines(ref json, ",\"headers\":["u8, request, marks, record.EntryType == EntryType.Response ? "x-request-id" : null);
        }

        if (http.ResponseHeaders is { } response)
        {
            left += Lines(ref json, ",\"response_headers\":["u8, response, marks, null);
        }

        Member(ref json, ",\"headers_left_out\":"u8, (ulong)left);
    }

    private int Lines(ref JsonCursor json, ReadOnlySpan<byte> key, IHttpHeaders headers, HeaderMatchLog? marks, string? only)
    {
        var start = json.Length;
        json.Raw(key);
        var first = json.Length;
        var left = 0;
        for (var i = 0; i < headers.Count; i++)
        {
            var name = headers.NameAt(i);
            if (only is not null && !name.Equals(only, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            left += Pair(ref json, name, headers.ValueAt(i), marks);
        }

        Close(ref json, start, first);
        return left;
    }

    private int Pairs(ref JsonCursor json, ReadOnlySpan<byte> key, IReadOnlyList<KeyValuePair<string, string>> pairs)
    {
        var start = json.Length;
        json.Raw(key);
        var first = json.Length;
        var left = 0;
        for (var i = 0; i < pairs.Count; i++)
        {
            left += Pair(ref json, pairs[i].Key, pairs[i].Value, null);
        }

        Close(ref json, start, first);
        return left;
    }

    // One [name,value] and a comma; 1 when it did not fit and was undone.
    private int Pair(ref JsonCursor json, ReadOnlySpan<char> name, ReadOnlySpan<char> text, HeaderMatchLog? marks)
    {
        var before = json.Length;
        json.Raw("["u8);
        json.String(name, small);
        if (headerDetail == HeaderDetail.All)
        {
            json.Raw(","u8);
            json.String(redaction.Names(name) ? HeaderRedaction.Mark : Shown(marks, name, text), value);
        }

        json.Raw("],"u8);
        if (json.Length <= limit - TailRoom)
        {
            return 0;
        }

        json.Length = before;
        return 1;
    }

    // Keys and brackets that may still follow the last header: response_headers, headers_left_out, the closing braces.
    private const int TailRoom = 160;

    private static void Close(ref JsonCursor json, int start, int first)
    {
        if (json.Length == first)
        {
            json.Length = start; // nothing in it: the member is left out
            return;
        }

        json.Length--; // the last comma
        json.Raw("]"u8);
    }

    private static ReadOnlySpan<char> Shown(HeaderMatchLog? marks, ReadOnlySpan<char> name, ReadOnlySpan<char> text) =>
        marks is not null && HeaderRedaction.IsMarked(marks, name) ? HeaderRedaction.Mark : text;

    private static void Member(ref JsonCursor json, ReadOnlySpan<byte> key, ReadOnlySpan<char> text, int budget)
    {
        if (text.Length != 0)
        {
            json.Raw(key);
            json.String(text, budget);
        }
    }

    private static void Member(ref JsonCursor json, ReadOnlySpan<byte> key, ulong number)
    {
        if (number != 0)
        {
            json.Raw(key);
            json.Number(number);
        }
    }

    private sealed class Scratch(int size)
    {
        public readonly byte[] Buffer = new byte[size];
        public readonly Rfc3339 Clock = new();
    }
}
