namespace Postern.Proxy.Discovery;

/// <summary>Who vouches for an update.</summary>
internal enum Provenance
{
    /// <summary>The source itself: a control plane or a file.</summary>
    Source,

    /// <summary>The state on disk: a control plane said so to an earlier process.</summary>
    Disk,
}
