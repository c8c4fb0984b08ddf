using System;

namespace Postern.Policy;

/// <summary>
/// A request as policy sees it, whatever HTTP engine parsed it. Policy matches exactly these characters, and the engine forwards exactly these.
/// The mutators exist for <c>header_matches</c> (ADD/DELETE/REPLACE); names are compared without case.
/// </summary>
public interface IHttpPolicyRequest : IHttpHeaders
{
    /// <summary><c>:method</c>.</summary>
    ReadOnlySpan<char> Method { get; }

    /// <summary><c>:path</c>, with the query string.</summary>
    ReadOnlySpan<char> Path { get; }

    /// <summary><c>:authority</c> (HTTP/1: the Host header), with its port if it was sent.</summary>
    ReadOnlySpan<char> Authority { get; }

    /// <summary><c>:scheme</c>, <c>http</c> or <c>https</c>.</summary>
    ReadOnlySpan<char> Scheme { get; }

    /// <summary>Removes every line of that name.</summary>
    void RemoveHeader(string name);

    /// <summary>Appends a line.</summary>
    void AppendHeader(string name, string value);

    /// <summary>Replaces every line of that name by one.</summary>
    void SetHeader(string name, string value);
}
