using System.Collections.Generic;

namespace Postern.Agent.Model;

/// <summary>One item of rules.http; empty texts are not set.</summary>
/// <param name="Path">Expression for <c>:path</c>, query string included.</param>
/// <param name="Method">Expression for <c>:method</c>.</param>
/// <param name="Host">Expression for <c>:authority</c>.</param>
/// <param name="Headers"><c>X-Key: value</c> or <c>X-Key</c>.</param>
/// <param name="HeaderMatches">With actions.</param>
public sealed record HttpRule(string Path, string Method, string Host, IReadOnlyList<string> Headers, IReadOnlyList<HttpHeaderMatch> HeaderMatches);

/// <summary>One item of headerMatches.</summary>
/// <param name="Name">Header.</param>
/// <param name="Value">May be empty.</param>
/// <param name="Secret">Holds the value, or null.</param>
/// <param name="Mismatch">What to do when it does not fit.</param>
public sealed record HttpHeaderMatch(string Name, string Value, SecretReference? Secret, HeaderMismatch Mismatch);

/// <summary>headerMatches[].mismatch.</summary>
public enum HeaderMismatch
{
    /// <summary>Not said: the rule fails.</summary>
    Fail,

    /// <summary>LOG.</summary>
    Log,

    /// <summary>ADD.</summary>
    Add,

    /// <summary>DELETE.</summary>
    Delete,

    /// <summary>REPLACE.</summary>
    Replace,
}
