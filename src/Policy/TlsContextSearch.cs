using Postern.Policy.Config;

namespace Postern.Policy;

/// <summary>Outcome kinds of a TLS context search.</summary>
public enum TlsContextOutcome
{
    /// <summary>No rule allows the connection: no socket at all.</summary>
    Denied,

    /// <summary>Allowed, and no rule asks for TLS: a raw socket.</summary>
    Raw,

    /// <summary>Allowed with <see cref="TlsContextSearch.Context"/>; while its secrets are not loaded the connection is closed.</summary>
    Context,
}

/// <summary>What <see cref="PortPolicy.FindTlsContext"/> found.</summary>
/// <param name="Outcome">Which.</param>
/// <param name="Context">Set only for <see cref="TlsContextOutcome.Context"/>.</param>
public readonly record struct TlsContextSearch(TlsContextOutcome Outcome, TlsContextConfig? Context);
