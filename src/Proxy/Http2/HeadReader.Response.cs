using System;
using Postern.Proxy.Http1;

namespace Postern.Proxy.Http2;

internal sealed partial class HeadReader
{
    private Http2HeadError TakeStatus(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (!name.SequenceEqual(":status"u8))
        {
            return Http2HeadError.UnknownPseudo;
        }
        if (Mark(Pseudo.Status) is var fault and not Http2HeadError.None)
        {
            return fault;
        }
        // Switching protocols is no part of HTTP/2 (RFC 9113 §8.6).
        if (value.Length != 3 || !RequestParser.TryParseLength(value, out var status) || status is < 100 or 101)
        {
            return Http2HeadError.InvalidStatus;
        }
        response!.Begin((int)status);
        return Http2HeadError.None;
    }

    private Http2HeadError FinishResponse(ResponseHead head, bool endStream, bool toHeadRequest)
    {
        if (seen == 0)
        {
            return Http2HeadError.MissingPseudo;
        }
        if (head.Status < 200 && endStream)
        {
            return Http2HeadError.MisplacedEndStream; // no final response would follow (RFC 9113 §8.1)
        }
        var never = head.Status is < 200 or 204; // content, nor Content-Length (RFC 9110 §8.6)
        if (contentLength > 0 && (never || (endStream && !toHeadRequest && head.Status != 304)))
        {
            return Http2HeadError.InvalidContentLength;
        }
        head.ContentLength = contentLength;
        head.EndsWithHead = endStream;
        return Http2HeadError.None;
    }
}
