using System;
using Postern.Policy;

namespace Postern.Tests.Filters.Http;

/// <summary>A request with nothing but a method.</summary>
internal sealed class TestRequest(string method) : IHttpPolicyRequest
{
    public int Count => 0;

    public ReadOnlySpan<char> Method => method;

    public ReadOnlySpan<char> Path => "/";

    public ReadOnlySpan<char> Authority => "host";

    public ReadOnlySpan<char> Scheme => "http";

    public ReadOnlySpan<char> NameAt(int index) => throw new InvalidOperationException();

    public ReadOnlySpan<char> ValueAt(int index) => throw new InvalidOperationException();

    public void RemoveHeader(string name) => throw new InvalidOperationException();

    public void AppendHeader(string name, string value) => throw new InvalidOperationException();

    public void SetHeader(string name, string value) => throw new InvalidOperationException();
}
