using System;

namespace Postern.Policy;

/// <summary>
/// Header fields in wire order, as an engine holds them. Text is Latin-1: one <c>char</c> per byte on the wire, so nothing is lost and
/// nothing is decoded. Spans are valid until the request (or response) is done; a sink that keeps them must copy.
/// Pseudo headers (<c>:path</c>) are not in the list.
/// </summary>
public interface IHttpHeaders
{
    /// <summary>Number of header lines; duplicates count each.</summary>
    int Count { get; }

    /// <summary>Field name of line <paramref name="index"/> with the case it had on the wire.</summary>
    ReadOnlySpan<char> NameAt(int index);

    /// <summary>Field value of line <paramref name="index"/> without surrounding white space.</summary>
    ReadOnlySpan<char> ValueAt(int index);
}
