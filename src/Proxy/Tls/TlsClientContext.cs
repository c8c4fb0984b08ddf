using System;
using System.Collections.Generic;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Postern.Xds.Config;

namespace Postern.Proxy.Tls;

/// <summary>An <see cref="UpstreamTlsConfig"/> with its secrets, ready for handshakes. Immutable; shared by all connections of its version.</summary>
internal sealed class TlsClientContext
{
    private readonly UpstreamTlsConfig config;
    private readonly SslStreamCertificateContext? own;
    private readonly PeerCheck check;

    private TlsClientContext(UpstreamTlsConfig config, SslStreamCertificateContext? own, PeerCheck check)
    {
        this.config = config;
        this.own = own;
        this.check = check;
        // Where names are configured they say who the server is; where none are, the name that is sent does. Envoy would check nothing then.
        Options = Make(config.Sni, TlsSettings.Protocols(config.Common), NameCheck.Configured);
    }

    /// <summary>For a connection that sends the configured name, or none.</summary>
    public SslClientAuthenticationOptions Options { get; }

    /// <summary>Null with a problem.</summary>
    public static TlsClientContext? TryBuild(UpstreamTlsConfig config, TlsMaterial material, TimeProvider time, out TlsProblem? problem)
    {
        if (material.Validation is not { } validation)
        {
            problem = new TlsProblem("", "validation_context", "is missing; without trusted_ca every server would be trusted");
            return null;
        }
        SslStreamCertificateContext? own = null;
        if (PeerCheck.TryBuild(validation, time, out problem) is not { } check
            || (material.Certificates.Count > 0 && (own = OwnCertificate.TryOpen(material.Certificates[0], null, out problem)) is null))
        {
            return null;
        }
        return new TlsClientContext(config, own, check);
    }

    /// <summary>The name that is sent where nobody asks for another; empty for none.</summary>
    public string ServerName => config.Sni;

    /// <summary>For a connection that sends this name in the place of the configured one: the server's certificate must be for it, and that alone decides.</summary>
    public SslClientAuthenticationOptions For(string serverName) => For(serverName, "", NameCheck.ServerName);

    /// <summary>For one connection.</summary>
    /// <param name="serverName">Sent; empty for none.</param>
    /// <param name="alpn">What is offered, in order, separated by commas; empty for the configured list.</param>
    /// <param name="names">Which names the certificate must have.</param>
    public SslClientAuthenticationOptions For(string serverName, string alpn, NameCheck names) =>
        alpn.Length == 0 && names == NameCheck.Configured && serverName == config.Sni
            ? Options
            : Make(serverName, alpn.Length == 0 ? TlsSettings.Protocols(config.Common) : Offered(alpn), names);

    private static List<SslApplicationProtocol> Offered(string alpn)
    {
        var protocols = new List<SslApplicationProtocol>(2);
        foreach (var name in alpn.Split(','))
        {
            protocols.Add(new SslApplicationProtocol(name));
        }
        return protocols;
    }

    private SslClientAuthenticationOptions Make(string serverName, List<SslApplicationProtocol>? protocols, NameCheck names) => new()
    {
        TargetHost = serverName,
        ClientCertificateContext = own,
        EnabledSslProtocols = config.Common.Versions,
        CipherSuitesPolicy = TlsSettings.CipherSuites(config.Common.CipherSuites),
        ApplicationProtocols = protocols,
        AllowRenegotiation = false,
        AllowTlsResume = config.AllowResumption,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = check.NewChainPolicy(),
        RemoteCertificateValidationCallback = names == NameCheck.ServerName
            ? check.Callback(nameMatters: true, namesMatter: false)
            : check.Callback(nameMatters: serverName.Length > 0 && (config.CheckSni || !check.HasNames)),
    };
}

/// <summary>Which names a server's certificate must have.</summary>
internal enum NameCheck
{
    /// <summary>What the validation context says; where it says nothing, the name that is sent.</summary>
    Configured,

    /// <summary>The name that is sent, and nothing else counts.</summary>
    ServerName,
}
