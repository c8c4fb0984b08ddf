using System;
using System.Collections.Frozen;
using System.Collections.Generic;
using System.Net.Security;
using System.Security.Authentication;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>TlsParameters</c>: versions and cipher suites.</summary>
internal static class TlsParameterRules
{
    // With forward secrecy and authenticated encryption; the names of OpenSSL and those of the registry, both of which Envoy takes.
    private static readonly FrozenDictionary<string, TlsCipherSuite> Suites = new Dictionary<string, TlsCipherSuite>(StringComparer.Ordinal)
    {
        ["ECDHE-ECDSA-AES128-GCM-SHA256"] = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        ["ECDHE-ECDSA-AES256-GCM-SHA384"] = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        ["ECDHE-ECDSA-CHACHA20-POLY1305"] = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        ["ECDHE-RSA-AES128-GCM-SHA256"] = TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        ["ECDHE-RSA-AES256-GCM-SHA384"] = TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        ["ECDHE-RSA-CHACHA20-POLY1305"] = TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"] = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"] = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"] = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"] = TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"] = TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        ["TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"] = TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>From the lowest to the highest; silence means 1.2 and 1.3, for clients too.</summary>
    public static SslProtocols Versions(TlsParameters? parameters, ConfigPath path)
    {
        var from13 = IsTls13(parameters?.TlsMinimumProtocolVersion ?? default, silent: false, path.Field("tls_minimum_protocol_version"));
        var to13 = IsTls13(parameters?.TlsMaximumProtocolVersion ?? default, silent: true, path.Field("tls_maximum_protocol_version"));
        if (from13)
        {
            return to13 ? SslProtocols.Tls13 : throw path.Error("tls_minimum_protocol_version is above tls_maximum_protocol_version");
        }
        return to13 ? SslProtocols.Tls12 | SslProtocols.Tls13 : SslProtocols.Tls12;
    }

    /// <summary>Of TLS 1.2. <c>[A|B]</c> means A and B alike in Envoy; here A comes first.</summary>
    public static EquatableList<TlsCipherSuite> CipherSuites(TlsParameters? parameters, ConfigPath path)
    {
        var all = new List<TlsCipherSuite>();
        for (var i = 0; i < (parameters?.CipherSuites.Count ?? 0); i++)
        {
            var item = parameters!.CipherSuites[i];
            var group = item is ['[', .. var inner, ']'] ? inner.Split('|') : [item];
            foreach (var name in group)
            {
                if (!Suites.TryGetValue(name, out var suite))
                {
                    throw path.Field("cipher_suites").Item(i).Error(
                        $"{Printable.Quote(name)} is not offered; only ECDHE-(ECDSA|RSA)-(AES128-GCM-SHA256|AES256-GCM-SHA384|CHACHA20-POLY1305) are, those of TLS 1.3 are always on");
                }
                if (!all.Contains(suite))
                {
                    all.Add(suite);
                }
            }
        }
        return all.ToEquatableList();
    }

    private static bool IsTls13(TlsParameters.Types.TlsProtocol value, bool silent, ConfigPath path) => (int)value switch
    {
        0 => silent,
        1 or 2 => throw path.Error("TLS 1.0 and 1.1 are not spoken; write TLSv1_2 or TLSv1_3"),
        3 => false,
        4 => true,
        _ => throw path.Error($"value {(int)value} is not known; write TLSv1_2 or TLSv1_3"),
    };
}
