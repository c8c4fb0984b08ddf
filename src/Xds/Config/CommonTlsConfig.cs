using System.Net.Security;
using System.Security.Authentication;
using Postern.Policy.Config;

namespace Postern.Xds.Config;

/// <summary><c>envoy.extensions.transport_sockets.tls.v3.CommonTlsContext</c>. Secrets in it print themselves as redacted.</summary>
public sealed record CommonTlsConfig
{
    /// <summary>The versions from <c>tls_minimum_protocol_version</c> to <c>tls_maximum_protocol_version</c>; 1.2 and 1.3 where they are silent.</summary>
    public SslProtocols Versions { get; init; } = SslProtocols.Tls12 | SslProtocols.Tls13;

    /// <summary><c>cipher_suites</c> of TLS 1.2, in order of preference; empty for the library's own choice.</summary>
    public EquatableList<TlsCipherSuite> CipherSuites { get; init; } = [];

    /// <summary><c>tls_certificates</c>.</summary>
    public EquatableList<TlsCertificateConfig> Certificates { get; init; } = [];

    /// <summary><c>tls_certificate_sds_secret_configs</c>; not beside <see cref="Certificates"/>.</summary>
    public EquatableList<SecretReferenceConfig> CertificateSecrets { get; init; } = [];

    /// <summary><c>validation_context</c>, or the default half of <c>combined_validation_context</c>; null without.</summary>
    public ValidationContextConfig? Validation { get; init; }

    /// <summary><c>validation_context_sds_secret_config</c>; what it brings is merged into <see cref="Validation"/> where that is there. Null without.</summary>
    public SecretReferenceConfig? ValidationSecret { get; init; }

    /// <summary><c>alpn_protocols</c>, one each, in order of preference.</summary>
    public EquatableList<string> AlpnProtocols { get; init; } = [];
}

/// <summary><c>SdsSecretConfig</c>: a secret by name.</summary>
/// <param name="Name">Of the secret.</param>
/// <param name="Source"><c>sds_config</c>; null means a secret of the bootstrap.</param>
public sealed record SecretReferenceConfig(string Name, ConfigSourceConfig? Source);
