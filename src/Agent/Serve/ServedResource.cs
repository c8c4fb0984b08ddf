using System;
using System.Security.Cryptography;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.WellKnownTypes;

namespace Postern.Agent.Serve;

/// <summary>One resource as served. The <c>Any</c> holds bytes, made once and shared by all streams and versions.</summary>
/// <param name="name">Unique within its type.</param>
/// <param name="any">Must not change any more.</param>
/// <param name="changedAt">Version of the type in which it got this content.</param>
internal sealed class ServedResource(string name, Any any, ulong changedAt)
{
    private const int TagBytes = 16;
    private Resource? wrapped;

    public string Name { get; } = name;

    public Any Any { get; } = any;

    public ulong ChangedAt { get; } = changedAt;

    /// <summary>
    /// For Delta, where clients bring versions of single resources over a restart of the agent: the version is a digest of the content, so that
    /// equal text means equal content whoever served it.
    /// </summary>
    public Resource Wrapped => wrapped ??= new Resource { Name = Name, Version = Tag(), Resource_ = Any };

    public bool HasContent(Any other) =>
        ReferenceEquals(Any, other) || (Any.Value.Equals(other.Value) && Any.TypeUrl == other.TypeUrl);

    private string Tag() => Convert.ToHexString(SHA256.HashData(Any.Value.Span).AsSpan(0, TagBytes));
}
