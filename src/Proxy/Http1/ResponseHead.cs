using System;

namespace Postern.Proxy.Http1;

/// <summary>A parsed response head, without hop-by-hop fields.</summary>
internal sealed class ResponseHead : HeaderBlock
{
    private const int ReasonStart = 13; // "HTTP/1.1 200 "
    private int reasonLength;

    /// <summary>Reason phrase, maybe empty.</summary>
    public ReadOnlySpan<char> Reason => reasonLength == 0 ? default : TextAt(ReasonStart, reasonLength);

    /// <summary>It came with a status line, whose reason may be empty; a head of HTTP/2 has none.</summary>
    public bool HasOwnReason { get; private set; }

    public int Status { get; private set; }

    public bool IsHttp10 { get; private set; }

    /// <summary>-1 when there is none.</summary>
    public long ContentLength { get; internal set; }

    public bool IsChunked { get; internal set; }

    /// <summary>The upstream will close after this response.</summary>
    public bool WillClose { get; internal set; }

    internal void Reset(ReadOnlySpan<byte> head, int status, bool http10, int lineLength)
    {
        Load(head);
        HasOwnReason = !head.IsEmpty;
        reasonLength = Math.Max(0, lineLength - ReasonStart);
        Status = status;
        IsHttp10 = http10;
        ContentLength = -1;
        IsChunked = false;
        WillClose = http10;
        EndsWithHead = false;
    }

    /// <summary>Starts a head of HTTP/2, or one that the proxy makes.</summary>
    internal void Begin(int status)
    {
        Reset([], status, http10: false, 0);
    }

    /// <summary>HTTP/2: nothing follows the head.</summary>
    public bool EndsWithHead { get; internal set; }

    internal void AddField(int nameStart, int nameLength, int valueStart, int valueLength) => AddLine(nameStart, nameLength, valueStart, valueLength);
}
