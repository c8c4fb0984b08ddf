using System;
using System.Buffers;

namespace Postern.Proxy.Http1;

/// <summary>
/// The trailer section of a chunked message (RFC 9112 §7.1.2): gathered while it comes, read as field lines at its end. A field that frames, routes or authenticates the
/// message is no trailer (RFC 9110 §6.5.1): a receiver that merged it would read another message than the one that was judged.
/// </summary>
internal sealed class TrailerSection
{
    private const int MaxLines = 100;
    private const int MaxName = 256;

    private readonly HeaderBlock fields = new();
    private readonly bool refuses;
    private byte[] bytes = [];
    private int length; // the scanner bounds it

    /// <param name="refusesForbidden">A forbidden field is an error (a request's); else it is left out (a response's).</param>
    public TrailerSection(bool refusesForbidden) => refuses = refusesForbidden;

    /// <summary>What came; null when there was none.</summary>
    public HeaderBlock? Fields => fields.Count > 0 ? fields : null;

    /// <summary>A new message.</summary>
    public void Begin()
    {
        length = 0;
        fields.Release();
    }

    /// <summary>More of it.</summary>
    public void Add(ReadOnlySpan<byte> part)
    {
        if (bytes.Length - length < part.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(256, length + part.Length));
            bytes.AsSpan(0, length).CopyTo(larger);
            Return();
            bytes = larger;
        }
        part.CopyTo(bytes.AsSpan(length));
        length += part.Length;
    }

    /// <summary>It is whole, with the empty line at its end.</summary>
    public Http1Error Finish()
    {
        if (length <= 2)
        {
            return Http1Error.None;
        }
        var reader = new FieldLineReader(bytes.AsSpan(0, length), 0, MaxLines, MaxName);
        while (reader.Next())
        {
            if (!ForbiddenTrailers.Contains(reader.Name))
            {
                fields.AppendField(reader.Name, reader.Value);
            }
            else if (refuses)
            {
                return Http1Error.ForbiddenTrailer;
            }
        }
        Return();
        length = 0;
        return reader.Error;
    }

    private void Return()
    {
        if (bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(bytes);
            bytes = [];
        }
    }
}
