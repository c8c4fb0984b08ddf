namespace Postern.Filters.Network;

/// <summary>On which legs a connection has, or can have, the TLS context that a rule asks for.</summary>
/// <param name="Downstream">Towards the client.</param>
/// <param name="Upstream">Towards the server.</param>
public readonly record struct TlsStance(bool Downstream, bool Upstream)
{
    /// <summary>Whatever a rule asks for.</summary>
    public static readonly TlsStance Any = new(true, true);
}
