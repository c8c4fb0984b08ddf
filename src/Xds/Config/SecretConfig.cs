using System;
using Google.Protobuf;

namespace Postern.Xds.Config;

/// <summary>A validated <c>envoy.extensions.transport_sockets.tls.v3.Secret</c>. Never prints its content.</summary>
public abstract record SecretConfig(string Name)
{
    /// <inheritdoc/>
    public sealed override string ToString() => $"{GetType().Name}({Name}, [redacted])";
}

/// <summary><c>generic_secret</c>.</summary>
public sealed record GenericSecretConfig(string Name, ByteString Secret) : SecretConfig(Name);

/// <summary><c>tls_certificate</c>: PEM.</summary>
public sealed record TlsCertificateConfig(string Name, ByteString CertificateChain, ByteString PrivateKey) : SecretConfig(Name)
{
    /// <summary>Of the leaf, for <c>/certs</c>; null when the chain cannot be read.</summary>
    public DateTimeOffset? NotAfter { get; init; }
}

/// <summary><c>validation_context</c>: PEM of the trusted CAs.</summary>
public sealed record ValidationContextConfig(string Name, ByteString TrustedCa) : SecretConfig(Name);

/// <summary><c>session_ticket_keys</c>.</summary>
public sealed record SessionTicketKeysConfig(string Name, Policy.Config.EquatableList<ByteString> Keys) : SecretConfig(Name);
