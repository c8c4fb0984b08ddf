using System;
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
        Options = Make(config.Sni, config.Sni.Length > 0 && (config.CheckSni || !check.HasNames));
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

    /// <summary>For a connection that sends this name in the place of the configured one: the server's certificate must be for it.</summary>
    public SslClientAuthenticationOptions For(string serverName) => Make(serverName, nameMatters: true);

    private SslClientAuthenticationOptions Make(string serverName, bool nameMatters) => new()
    {
        TargetHost = serverName,
        ClientCertificateContext = own,
        EnabledSslProtocols = config.Common.Versions,
        CipherSuitesPolicy = TlsSettings.CipherSuites(config.Common.CipherSuites),
        ApplicationProtocols = TlsSettings.Protocols(config.Common),
        AllowRenegotiation = false,
        AllowTlsResume = config.AllowResumption,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = check.NewChainPolicy(),
        RemoteCertificateValidationCallback = check.Callback(nameMatters),
    };
}
