using System;
using System.Buffers;
using Postern.Proxy.Http1;
using Postern.Proxy.Http2.Hpack;

namespace Postern.Proxy.Http2;

/// <summary>
/// Joins the cookie fields of a request by "; " into one line at the place of the first (RFC 9113 §8.2.3): policy sees the value that a server sees. They are
/// gathered aside and put in place once, since joining one by one would copy what is there for each of thousands of crumbs.
/// </summary>
internal sealed class CookieCrumbs
{
    private byte[] more = []; // what follows the first; rented
    private int length;
    private int line = -1; // of the first
    private bool neverIndexed; // any of them

    /// <summary>A block begins. The one before may have ended in an error.</summary>
    public void Clear()
    {
        line = -1;
        neverIndexed = false;
        Release();
    }

    public void Take(HeaderBlock lines, ReadOnlySpan<byte> value, bool isNeverIndexed)
    {
        if (line < 0)
        {
            line = lines.Count;
            lines.AppendField("cookie"u8, value, isNeverIndexed);
            return;
        }
        neverIndexed |= isNeverIndexed;
        RentedBuffer.Reserve(ref more, length, value.Length + 2);
        more[length++] = (byte)';';
        more[length++] = (byte)' ';
        value.CopyTo(more.AsSpan(length));
        length += value.Length;
    }

    /// <summary>The block is whole.</summary>
    public void Finish(HeaderBlock lines)
    {
        if (length > 0)
        {
            lines.ExtendValue(line, more.AsSpan(0, length), neverIndexed);
            Release();
        }
    }

    private void Release()
    {
        length = 0;
        if (more.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(more);
            more = [];
        }
    }
}
