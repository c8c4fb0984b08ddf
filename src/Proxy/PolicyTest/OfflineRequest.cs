using System;
using System.Collections.Generic;
using Postern.Policy;

namespace Postern.Proxy.PolicyTest;

/// <summary>A request that exists only as text of a vector. Fields that the vector leaves out are missing.</summary>
internal sealed class OfflineRequest(string method, string path, string authority, string scheme, List<KeyValuePair<string, string>> headers)
    : IHttpPolicyRequest
{
    public List<KeyValuePair<string, string>> Headers { get; } = headers;

    public int Count => Headers.Count;

    public ReadOnlySpan<char> Method => method;

    public ReadOnlySpan<char> Path => path;

    public ReadOnlySpan<char> Authority => authority;

    public ReadOnlySpan<char> Scheme => scheme;

    public ReadOnlySpan<char> NameAt(int index) => Headers[index].Key;

    public ReadOnlySpan<char> ValueAt(int index) => Headers[index].Value;

    public void RemoveHeader(string name) => Headers.RemoveAll(header => string.Equals(header.Key, name, StringComparison.OrdinalIgnoreCase));

    public void AppendHeader(string name, string value) => Headers.Add(KeyValuePair.Create(name, value));

    public void SetHeader(string name, string value)
    {
        RemoveHeader(name);
        AppendHeader(name, value);
    }
}
