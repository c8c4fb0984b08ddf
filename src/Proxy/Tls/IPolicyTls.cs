using Postern.Policy.Config;
using Postern.Proxy.Stats;

namespace Postern.Proxy.Tls;

/// <summary>The TLS contexts of the policies in force, compiled. Asked by the data path for each connection; no lock.</summary>
internal interface IPolicyTls
{
    /// <summary>Counts connections that were closed for want of a context.</summary>
    Counter Missing { get; }

    /// <summary>Of a downstream context; null when the policies no longer have it.</summary>
    TlsContextSlot<TlsServerContext>? FindServer(TlsContextConfig context);

    /// <summary>Of an upstream context; null when the policies no longer have it.</summary>
    TlsContextSlot<TlsClientContext>? FindClient(TlsContextConfig context);
}
