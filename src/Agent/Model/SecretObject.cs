using System.Collections.Generic;

namespace Postern.Agent.Model;

/// <summary>A Kubernetes Secret. Values are never shown.</summary>
/// <param name="Key">Kind and name.</param>
/// <param name="Source">Where it stands.</param>
/// <param name="Data">Decoded.</param>
public sealed record SecretObject(ObjectKey Key, ObjectSource Source, IReadOnlyDictionary<string, byte[]> Data) : NodeObject(Key, Source)
{
    /// <summary>Names only.</summary>
    public override string ToString() => $"{Key} ({string.Join(", ", Data.Keys)})";
}
