using System;
using System.Collections.Generic;
using Postern.Policy;

namespace Postern.Agent.Trace;

/// <summary>A request to judge that nobody sent.</summary>
/// <param name="method">Method.</param>
/// <param name="path">Path, with the query string.</param>
/// <param name="authority">Host, perhaps with a port.</param>
/// <param name="headers">Other headers.</param>
public sealed class TraceRequest(string method, string path, string authority, IEnumerable<KeyValuePair<string, string>> headers) : IHttpPolicyRequest
{
    private readonly List<KeyValuePair<string, string>> lines = [.. headers];

    /// <inheritdoc/>
    public int Count => lines.Count;

    /// <inheritdoc/>
    public ReadOnlySpan<char> Method => method;

    /// <inheritdoc/>
    public ReadOnlySpan<char> Path => path;

    /// <inheritdoc/>
    public ReadOnlySpan<char> Authority => authority;

    /// <inheritdoc/>
    public ReadOnlySpan<char> Scheme => "http";

    /// <summary>Reads <c>GET /path</c>, or <c>/path</c> alone; null when it is neither.</summary>
    public static TraceRequest? Parse(string text, string authority = "", IEnumerable<KeyValuePair<string, string>>? headers = null)
    {
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words.Length switch
        {
            1 when words[0][0] == '/' => new TraceRequest("GET", words[0], authority, headers ?? []),
            2 when words[1][0] == '/' => new TraceRequest(words[0], words[1], authority, headers ?? []),
            _ => null,
        };
    }

    /// <inheritdoc/>
    public ReadOnlySpan<char> NameAt(int index) => lines[index].Key;

    /// <inheritdoc/>
    public ReadOnlySpan<char> ValueAt(int index) => lines[index].Value;

    /// <inheritdoc/>
    public void RemoveHeader(string name) => lines.RemoveAll(line => string.Equals(line.Key, name, StringComparison.OrdinalIgnoreCase));

    /// <inheritdoc/>
    public void AppendHeader(string name, string value) => lines.Add(KeyValuePair.Create(name, value));

    /// <inheritdoc/>
    public void SetHeader(string name, string value)
    {
        RemoveHeader(name);
        AppendHeader(name, value);
    }

    /// <summary>The request as it was: header matches of one judgement must not be seen by the next.</summary>
    internal TraceRequest Copy() => new(method, path, authority, lines);

    /// <inheritdoc/>
    public override string ToString() => $"{method} {path}";
}
