using System;

namespace Postern.Proxy.Http1;

/// <summary>
/// Finds the request heads of one connection: a head is a request only when it is complete and strictly valid, and an incomplete one that can never become valid is refused
/// at once. Sans-I/O.
/// </summary>
internal sealed class RequestHeadReader(int maxHeadBytes, int maxHeaders)
{
    private bool skippedEmptyLine; // before the head that is awaited now
    private int searched; // bytes of an incomplete head already known to hold no end and no bare LF

    /// <summary>The latest complete head.</summary>
    public RequestHead Head { get; } = new();

    /// <summary>Heads accepted so far.</summary>
    public long HeadCount { get; private set; }

    /// <summary>Why the stream is refused; nothing is read afterwards.</summary>
    public Http1Error Error { get; private set; }

    /// <summary>Looks for a head at the start of <paramref name="pending"/>.</summary>
    /// <returns>Its length, and it is in <see cref="Head"/>; 0 means more input is needed, or <see cref="Error"/> is set.</returns>
    public int Read(ReadOnlySpan<byte> pending)
    {
        if (Error != Http1Error.None)
        {
            return 0;
        }
        var from = Math.Max(0, searched - 3); // the end may straddle what was searched before
        var end = pending[from..].IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            CheckPartial(pending);
            return 0;
        }
        var length = from + end + 4;
        Error = length > maxHeadBytes ? Http1Error.HeadTooLarge : RequestParser.Parse(pending[..length], Head, maxHeaders);
        if (Error != Http1Error.None)
        {
            return 0;
        }
        searched = 0;
        skippedEmptyLine = false;
        HeadCount++;
        return length;
    }

    /// <summary>
    /// Count of bytes at the start of <paramref name="pending"/> that belong to no message: one empty line before a request is tolerated
    /// (RFC 9112 §2.2).
    /// </summary>
    public int Skip(ReadOnlySpan<byte> pending)
    {
        if (skippedEmptyLine || !pending.StartsWith("\r\n"u8))
        {
            return 0;
        }
        skippedEmptyLine = true;
        searched = 0;
        return 2;
    }

    // A client that ends lines with a bare LF would never send the CRLF CRLF that is waited for: tell it now.
    private void CheckPartial(ReadOnlySpan<byte> pending)
    {
        if (pending.Length > maxHeadBytes)
        {
            Error = Http1Error.HeadTooLarge;
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
                Error = Http1Error.BareLineFeed;
                return;
            }
        }
        searched = pending.Length;
    }
}
