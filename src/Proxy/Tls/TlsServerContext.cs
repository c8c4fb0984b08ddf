using System;
using System.Collections.Generic;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Postern.Xds.Config;

namespace Postern.Proxy.Tls;

/// <summary>A <see cref="DownstreamTlsConfig"/> with its secrets, ready for handshakes. Immutable; shared by all connections of its version.</summary>
internal sealed class TlsServerContext
{
    private readonly bool requireSni;
    private readonly (List<string> Hosts, SslServerAuthenticationOptions Options)[] certificates;

    private TlsServerContext(DownstreamTlsConfig config, (List<string> Hosts, SslServerAuthenticationOptions Options)[] certificates)
    {
        requireSni = config.RequireSni;
        this.certificates = certificates;
    }

    /// <summary>For a client whose name, if it sent one, is for no certificate in particular.</summary>
    public SslServerAuthenticationOptions Options => certificates[0].Options;

    /// <summary>Null with a problem.</summary>
    public static TlsServerContext? TryBuild(DownstreamTlsConfig config, TlsMaterial material, TimeProvider time, out TlsProblem? problem)
    {
        PeerCheck? check = null;
        if (material.Validation is { } validation && (check = PeerCheck.TryBuild(validation, time, out problem)) is null)
        {
            return null;
        }
        var authorities = material.Validation is { SuppressClientCaList: false } ? check!.Trusted : null;
        var certificates = new (List<string>, SslServerAuthenticationOptions)[material.Certificates.Count];
        for (var i = 0; i < certificates.Length; i++)
        {
            if (OwnCertificate.TryOpen(material.Certificates[i], authorities, out problem) is not { } own)
            {
                return null;
            }
            certificates[i] = (Hosts(own.TargetCertificate), Make(config, own, check));
        }
        problem = certificates.Length > 0 ? null : new TlsProblem("", "tls_certificates", "a server needs a certificate");
        return problem is null ? new TlsServerContext(config, certificates) : null;
    }

    /// <summary>The options for a client that sent this name: the first certificate for exactly it, else for its domain, else the first of all.</summary>
    /// <param name="serverName">Null or empty where the client sent none.</param>
    /// <returns>Null when <c>require_sni</c> refuses the client.</returns>
    public SslServerAuthenticationOptions? Select(string? serverName)
    {
        if (string.IsNullOrEmpty(serverName))
        {
            return requireSni ? null : Options;
        }
        SslServerAuthenticationOptions? byDomain = null;
        foreach (var (hosts, options) in certificates)
        {
            foreach (var host in hosts)
            {
                if (string.Equals(host, serverName, StringComparison.OrdinalIgnoreCase))
                {
                    return options;
                }
                byDomain ??= SubjectAltNameCheck.Covers(host, serverName) ? options : null;
            }
        }
        return byDomain ?? Options;
    }

    private static SslServerAuthenticationOptions Make(DownstreamTlsConfig config, SslStreamCertificateContext own, PeerCheck? check) => new()
    {
        ServerCertificateContext = own,
        EnabledSslProtocols = config.Common.Versions,
        CipherSuitesPolicy = TlsSettings.CipherSuites(config.Common.CipherSuites),
        ApplicationProtocols = TlsSettings.Protocols(config.Common),
        AllowRenegotiation = false,
        // A resumed session stands for a certificate that was checked under the CAs and lists of then.
        AllowTlsResume = config.AllowResumption && check is null,
        ClientCertificateRequired = check is not null, // asked for; whether one must come is the callback's to say
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = check?.NewChainPolicy(),
        RemoteCertificateValidationCallback = check is null ? null
            : config.RequireClientCertificate || check.NamesPeers ? check.Callback(nameMatters: false)
            : check.OptionalCallback(),
    };

    // As in Envoy: the DNS names, and the subject's common name where there is no subject alternative name.
    private static List<string> Hosts(X509Certificate2 certificate)
    {
        var hosts = new List<string>();
        var names = SubjectAltNames.Read(certificate);
        foreach (var (kind, text) in names ?? [])
        {
            if (kind == SubjectAltNameKind.Dns)
            {
                hosts.Add(text);
            }
        }
        if (names is { Count: 0 })
        {
            hosts.Add(certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false));
        }
        return hosts;
    }
}
