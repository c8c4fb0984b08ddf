using System;
using Postern.Policy;

namespace Postern.Bench.Verdict;

/// <summary>A POST that the third HTTP rule of a list accepts.</summary>
internal sealed class BenchRequest : IHttpPolicyRequest
{
    public int Count => 0;

    public ReadOnlySpan<char> Method => "POST";

    public ReadOnlySpan<char> Path => "/api/orders/1234567";

    public ReadOnlySpan<char> Authority => "shop.example";

    public ReadOnlySpan<char> Scheme => "http";

    public ReadOnlySpan<char> NameAt(int index) => throw new ArgumentOutOfRangeException(nameof(index));

    public ReadOnlySpan<char> ValueAt(int index) => throw new ArgumentOutOfRangeException(nameof(index));

    public void RemoveHeader(string name) => throw new NotSupportedException();

    public void AppendHeader(string name, string value) => throw new NotSupportedException();

    public void SetHeader(string name, string value) => throw new NotSupportedException();
}

/// <summary>No secrets.</summary>
internal sealed class NoSecrets : ISecretSource
{
    public string? FindGenericSecret(string name) => null;
}
