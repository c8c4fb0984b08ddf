using System.Collections.Generic;
using System.Net.Security;
using Postern.Policy.Config;
using Postern.Xds.Config;

namespace Postern.Proxy.Tls;

/// <summary>What both sides set alike.</summary>
internal static class TlsSettings
{
    // A policy replaces the library's list for all versions, so those of 1.3, which tls_params does not touch, are named again.
    private static readonly TlsCipherSuite[] Tls13 =
        [TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256];

    /// <summary>Null for the library's own choice: with a policy of ours it keeps no sessions.</summary>
    public static CipherSuitesPolicy? CipherSuites(EquatableList<TlsCipherSuite> suites)
    {
        if (suites.Count == 0)
        {
            return null;
        }
#pragma warning disable CA1416 // Linux only
        return new CipherSuitesPolicy([.. Tls13, .. suites]);
#pragma warning restore CA1416
    }

    /// <summary>Null where none are configured.</summary>
    public static List<SslApplicationProtocol>? Protocols(CommonTlsConfig common)
    {
        if (common.AlpnProtocols.Count == 0)
        {
            return null;
        }
        var all = new List<SslApplicationProtocol>(common.AlpnProtocols.Count);
        foreach (var protocol in common.AlpnProtocols)
        {
            all.Add(new SslApplicationProtocol(protocol));
        }
        return all;
    }
}
