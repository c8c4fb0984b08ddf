using System;
using Postern.Proxy.Http1;
using Postern.Proxy.Http2.Hpack;

namespace Postern.Proxy.Http2;

/// <summary>
/// Turns header blocks into heads and trailers, strictly (RFC 9113 §8). What it accepts can be written as HTTP/1 lines and be read there as the same
/// message: the two sides share their grammar. One for a connection, used for one block after the other; the parts of the type are the kinds of a message.
/// </summary>
internal sealed partial class HeadReader : IFieldSink
{
    private const int FieldCharge = 32; // as SETTINGS_MAX_HEADER_LIST_SIZE counts (RFC 9113 §6.5.2)

    private RequestHead? request; // one of request and response, or neither: trailers
    private ResponseHead? response;
    private HeaderBlock lines = null!; // of the block that is being read
    private HeadLimits limits;
    private Http2HeadError error;
    private Pseudo seen;
    private long bytes;
    private int fields;
    private long contentLength; // -1 until there is one
    private bool sawHost;

    [Flags]
    private enum Pseudo
    {
        Method = 1,
        Scheme = 2,
        Path = 4,
        Authority = 8,
        Protocol = 16,
        Status = 32,
    }

    /// <summary>Reads the block that opens a stream.</summary>
    /// <param name="endStream">Nothing follows it.</param>
    /// <param name="head">Filled on success; undefined on error.</param>
    public Http2HeadError ReadRequest(HpackDecoder decoder, ReadOnlySpan<byte> block, bool endStream, RequestHead head, in HeadLimits limits)
    {
        head.BeginHttp2();
        (request, response) = (head, null);
        BeginRequest();
        return Read(decoder, block, head, limits) is var fault and not Http2HeadError.None ? fault : FinishRequest(head, endStream);
    }

    /// <summary>Reads the block of a response, or of an informational one before it.</summary>
    /// <param name="toHeadRequest">It answers HEAD: what Content-Length says does not follow.</param>
    /// <inheritdoc cref="ReadRequest"/>
    public Http2HeadError ReadResponse(HpackDecoder decoder, ReadOnlySpan<byte> block, bool endStream, bool toHeadRequest, ResponseHead head, in HeadLimits limits)
    {
        head.Begin(0);
        (request, response) = (null, head);
        return Read(decoder, block, head, limits) is var fault and not Http2HeadError.None ? fault : FinishResponse(head, endStream, toHeadRequest);
    }

    /// <summary>Reads the block behind a body. That it ends the stream is for the caller to see (RFC 9113 §8.1).</summary>
    /// <param name="trailers">Filled on success; undefined on error.</param>
    public Http2HeadError ReadTrailers(HpackDecoder decoder, ReadOnlySpan<byte> block, HeaderBlock trailers, in HeadLimits limits)
    {
        trailers.Clear();
        (request, response) = (null, null);
        return Read(decoder, block, trailers, limits);
    }

    /// <inheritdoc/>
    public bool OnField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool neverIndexed)
    {
        error = Take(name, value, neverIndexed);
        return error == Http2HeadError.None;
    }

    private Http2HeadError Read(HpackDecoder decoder, ReadOnlySpan<byte> block, HeaderBlock target, in HeadLimits bounds)
    {
        (lines, limits) = (target, bounds);
        error = Http2HeadError.None;
        (seen, bytes, fields, contentLength) = (0, 0, 0, -1);
        if (decoder.Decode(block, this) != HpackError.None)
        {
            error = Http2HeadError.MalformedHpack; // the connection's fault goes before the stream's
        }
        return error;
    }

    private Http2HeadError Take(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool neverIndexed)
    {
        bytes += name.Length + value.Length + FieldCharge;
        if (bytes > limits.MaxBytes)
        {
            return Http2HeadError.TooLarge;
        }
        if (name.Length == 0)
        {
            return Http2HeadError.InvalidName;
        }
        if (name[0] == ':')
        {
            return request is not null ? TakeRequestPseudo(name, value, neverIndexed) : response is not null ? TakeStatus(name, value) : Http2HeadError.PseudoInTrailers;
        }
        if (fields++ == limits.MaxFields)
        {
            return Http2HeadError.TooManyFields;
        }
        return TakeField(name, value, neverIndexed);
    }

    private Http2HeadError TakeField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool neverIndexed)
    {
        if (name.ContainsAnyExcept(Grammar.LowerTokenBytes))
        {
            return Grammar.IsToken(name) ? Http2HeadError.UppercaseName : Http2HeadError.InvalidName;
        }
        if (value.ContainsAny(Grammar.InvalidValueBytes) || (value.Length > 0 && (value[0] is (byte)' ' or (byte)'\t' || value[^1] is (byte)' ' or (byte)'\t')))
        {
            return Http2HeadError.InvalidValue; // RFC 9113 §8.2.1
        }
        if (ConnectionFields.Contains(name))
        {
            return Http2HeadError.ConnectionSpecificField;
        }
        if (request is not null)
        {
            return TakeRequestField(name, value, neverIndexed);
        }
        if (response is null)
        {
            if (ForbiddenTrailers.Contains(name))
            {
                return Http2HeadError.ForbiddenTrailer;
            }
        }
        else if (name.SequenceEqual("te"u8))
        {
            return Http2HeadError.InvalidTe; // a request's field
        }
        else if (name.SequenceEqual("content-length"u8) && TakeContentLength(value) is var fault and not Http2HeadError.None)
        {
            return fault;
        }
        lines.AppendField(name, value, neverIndexed);
        return Http2HeadError.None;
    }

    private Http2HeadError TakeContentLength(ReadOnlySpan<byte> value)
    {
        if (contentLength >= 0)
        {
            return Http2HeadError.DuplicateContentLength; // the same twice, too, as in HTTP/1
        }
        return RequestParser.TryParseLength(value, out contentLength) ? Http2HeadError.None : Http2HeadError.InvalidContentLength;
    }

    // No pseudo field behind another field, nor twice (RFC 9113 §8.3).
    private Http2HeadError Mark(Pseudo pseudo)
    {
        if (fields > 0)
        {
            return Http2HeadError.PseudoAfterField;
        }
        if ((seen & pseudo) != 0)
        {
            return Http2HeadError.DuplicatePseudo;
        }
        seen |= pseudo;
        return Http2HeadError.None;
    }
}
