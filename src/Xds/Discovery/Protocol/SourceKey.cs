using System;
using Google.Protobuf;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>
/// The bytes a resource came in, with the name of its wrapper: equal ones need no decoding. The hash is of all bytes and seeded per
/// process, so that nobody can make collisions on purpose.
/// </summary>
internal readonly struct SourceKey : IEquatable<SourceKey>
{
    private readonly string name;
    private readonly ByteString bytes;
    private readonly int hash;

    public SourceKey(string wrapperName, ByteString value)
    {
        name = wrapperName;
        bytes = value;
        var code = default(HashCode);
        code.AddBytes(value.Span);
        hash = code.ToHashCode();
    }

    public bool Equals(SourceKey other) =>
        hash == other.hash && bytes.Span.SequenceEqual(other.bytes.Span) && string.Equals(name, other.name, StringComparison.Ordinal);

    public override bool Equals(object? obj) => obj is SourceKey other && Equals(other);

    public override int GetHashCode() => hash;
}
