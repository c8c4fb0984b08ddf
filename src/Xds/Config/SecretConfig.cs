using System;
using Google.Protobuf;
using Postern.Policy.Config;

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

    /// <summary>Opens the key where it is encrypted; empty without.</summary>
    public ByteString Password { get; init; } = ByteString.Empty;
}

/// <summary><c>session_ticket_keys</c>.</summary>
public sealed record SessionTicketKeysConfig(string Name, EquatableList<ByteString> Keys) : SecretConfig(Name);
