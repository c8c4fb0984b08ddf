using System;

namespace Postern.Proxy.Http1;

/// <summary>
/// Follows the messages of one connection: head, body, next head. It answers one question: how many of the bytes at hand have been vetted
/// and may be shown to the HTTP server behind it. A head is vetted only when it is complete and strictly valid; so the server never sees
/// half a head, and never a head that this framing did not delimit itself.
/// </summary>
internal sealed class RequestFramer(int maxHeadBytes, int maxHeaders)
{
    private Phase phase = Phase.Head;
    private long bodyRemaining;
    private ChunkScanner chunks;
    private bool skippedEmptyLine; // before the head that is awaited now
    private int searched; // bytes of an incomplete head already known to hold no end and no bare LF

    private enum Phase
    {
        Head,
        LengthBody,
        ChunkedBody,
        Failed,
        FailedInBody,
    }

    /// <summary>The latest complete head.</summary>
    public RequestHead Head { get; } = new();

    /// <summary>No message has begun: waiting for a request, as far as the vetted bytes tell.</summary>
    public bool BetweenMessages => phase == Phase.Head;

    /// <summary>A head was accepted and its body is not complete, or turned out malformed.</summary>
    public bool WithinBody => phase is Phase.LengthBody or Phase.ChunkedBody or Phase.FailedInBody;

    /// <summary>Heads accepted so far.</summary>
    public long HeadCount { get; private set; }

    /// <summary>Why the stream is refused; nothing is vetted afterwards.</summary>
    public Http1Error Error { get; private set; }

    /// <summary>Vets what can be vetted of <paramref name="pending"/>, the bytes after those vetted before.</summary>
    /// <returns>Count of newly vetted bytes; 0 means more input is needed, or <see cref="Error"/> is set.</returns>
    public int Vet(ReadOnlySpan<byte> pending)
    {
        switch (phase)
        {
            case Phase.Head:
                return VetHead(pending);
            case Phase.LengthBody:
                var take = (int)Math.Min(bodyRemaining, pending.Length);
                bodyRemaining -= take;
                if (bodyRemaining == 0)
                {
                    phase = Phase.Head;
                }
                return take;
            case Phase.ChunkedBody:
                var scanned = chunks.Scan(pending, out var error);
                if (error != Http1Error.None)
                {
                    Fail(error);
                    return 0; // not even the good part: a body that turns bad must not end well
                }
                if (chunks.IsDone)
                {
                    phase = Phase.Head;
                }
                return scanned;
            default:
                return 0;
        }
    }

    /// <summary>
    /// Count of bytes at the start of <paramref name="pending"/> that belong to no message: one empty line before a request is tolerated
    /// (RFC 9112 §2.2) and shown to nobody.
    /// </summary>
    public int Skip(ReadOnlySpan<byte> pending)
    {
        if (phase != Phase.Head || skippedEmptyLine || !pending.StartsWith("\r\n"u8))
        {
            return 0;
        }
        skippedEmptyLine = true;
        searched = 0;
        return 2;
    }

    private int VetHead(ReadOnlySpan<byte> pending)
    {
        var from = Math.Max(0, searched - 3); // the end may straddle what was searched before
        var end = pending[from..].IndexOf("\r\n\r\n"u8);
        if (end >= 0)
        {
            var length = from + end + 4;
            if (length > maxHeadBytes)
            {
                Fail(Http1Error.HeadTooLarge);
                return 0;
            }
            var error = RequestParser.Parse(pending[..length], Head, maxHeaders);
            if (error != Http1Error.None)
            {
                Fail(error);
                return 0;
            }
            searched = 0;
            skippedEmptyLine = false;
            HeadCount++;
            BeginBody();
            return length;
        }
        CheckPartial(pending);
        return 0;
    }

    // A client that ends lines with a bare LF would never send the CRLF CRLF that is waited for: tell it now.
    private void CheckPartial(ReadOnlySpan<byte> pending)
    {
        if (pending.Length > maxHeadBytes)
        {
            Fail(Http1Error.HeadTooLarge);
            return;
        }
        for (var i = searched; i < pending.Length; i++)
        {
            var at = pending[i..].IndexOf((byte)'\n');
            if (at < 0)
            {
                break;
            }
            i += at;
            if (i == 0 || pending[i - 1] != '\r')
            {
                Fail(Http1Error.BareLineFeed);
                return;
            }
        }
        searched = pending.Length;
    }

    private void BeginBody()
    {
        if (Head.IsChunked)
        {
            chunks = default;
            phase = Phase.ChunkedBody;
        }
        else if (Head.ContentLength > 0)
        {
            bodyRemaining = Head.ContentLength;
            phase = Phase.LengthBody;
        }
    }

    private void Fail(Http1Error error)
    {
        Error = error;
        phase = phase == Phase.ChunkedBody ? Phase.FailedInBody : Phase.Failed;
    }
}
