namespace Postern.Policy;

/// <summary>Cilium's reserved numeric security identities that the proxy itself needs to name.</summary>
public static class Identities
{
    /// <summary>No identity known.</summary>
    public const uint Unknown = 0;

    /// <summary><c>reserved:world</c>: what an address resolves to when no entry covers it.</summary>
    public const uint World = 2;
}
