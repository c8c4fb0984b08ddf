namespace Postern.Proxy.Tls;

/// <summary>Why a peer's certificate did not do.</summary>
/// <param name="Kind">For counters.</param>
/// <param name="Text">For operators.</param>
internal sealed record PeerRefusal(PeerRefusalKind Kind, string Text);

/// <summary>The kinds that Envoy counts apart.</summary>
internal enum PeerRefusalKind
{
    /// <summary>There was none.</summary>
    NoCertificate,

    /// <summary>The certificate itself or its chain: untrusted, out of date, revoked.</summary>
    Certificate,

    /// <summary>It is for somebody else.</summary>
    Name,

    /// <summary>It is not one of those pinned.</summary>
    Pin,
}
