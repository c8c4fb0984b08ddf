namespace Postern.Policy.Compile;

/// <summary>A key of the namespace that resource names and endpoint addresses share.</summary>
/// <param name="Slot">Where the endpoint stands in the snapshot.</param>
/// <param name="Kind">What the key is.</param>
internal readonly record struct PolicyKey(int Slot, PolicyKeyKind Kind);

/// <summary>Kinds of keys.</summary>
internal enum PolicyKeyKind
{
    /// <summary>The resource's name.</summary>
    Name,

    /// <summary>One of its <c>endpoint_ips</c>.</summary>
    Address,
}
