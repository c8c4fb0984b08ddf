namespace Postern.Xds.Resources;

/// <summary>How strictly bytes of a control plane are read.</summary>
public sealed record DecodeOptions
{
    /// <summary>
    /// Passes over a field that nobody here knows, also in messages about policy, identity and TLS, where it may be the one that narrows a
    /// permission. Off by default: such a resource is refused.
    /// </summary>
    public bool WarnOnUnknownSecurityFields { get; init; }

    /// <summary>Refuses such a field in every other message too (listeners, clusters, routes, endpoints). Off by default: a warning.</summary>
    public bool RejectUnknownDynamicFields { get; init; }

    /// <summary>Bound on one encoded resource; bytes.</summary>
    public int MaxResourceBytes { get; init; } = 16 << 20;
}
