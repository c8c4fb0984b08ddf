namespace Postern.Agent.Model;

/// <summary>Something that a file of the folder declares.</summary>
/// <param name="Key">Unique in the folder.</param>
/// <param name="Source">Where it stands.</param>
public abstract record NodeObject(ObjectKey Key, ObjectSource Source);

/// <summary>What tells objects apart.</summary>
/// <param name="Kind">As written, e.g. <c>CiliumNetworkPolicy</c>.</param>
/// <param name="Namespace">Empty for what is clusterwide.</param>
/// <param name="Name">metadata.name.</param>
public sealed record ObjectKey(string Kind, string Namespace, string Name)
{
    /// <summary><c>namespace/name</c>, or <c>/name</c> for what is clusterwide.</summary>
    public string QualifiedName => Namespace + "/" + Name;

    /// <inheritdoc/>
    public override string ToString() => $"{Kind} {QualifiedName}";
}

/// <summary>A place in the folder.</summary>
/// <param name="File">Name of the file within the folder.</param>
/// <param name="Line">First line of the document, 1-based.</param>
public sealed record ObjectSource(string File, int Line)
{
    /// <inheritdoc/>
    public override string ToString() => $"{File}:{Line}";
}
