using System;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>envoy.extensions.transport_sockets.tls.v3.Secret</c>. What is wrong is said without a byte of the content.</summary>
internal static class Secrets
{
    private const int TicketKeyBytes = 80;

    /// <summary>Validates a secret.</summary>
    public static SecretConfig ToConfig(Secret secret, ConfigPath path)
    {
        var name = TypedConfig.Required(secret.Name, path.Field("name"));
        switch (secret.TypeCase)
        {
            case Secret.TypeOneofCase.GenericSecret:
                path = path.Field("generic_secret").Field("secret");
                return new GenericSecretConfig(name, DataSources.Read(secret.GenericSecret.Secret, path));
            case Secret.TypeOneofCase.TlsCertificate:
                return Certificate(secret.TlsCertificate, name, path.Field("tls_certificate"));
            case Secret.TypeOneofCase.ValidationContext:
                return Validation(secret.ValidationContext, name, path.Field("validation_context"));
            case Secret.TypeOneofCase.SessionTicketKeys:
                var keys = secret.SessionTicketKeys.Keys.Map(path.Field("session_ticket_keys").Field("keys"), TicketKey);
                return keys.Count > 0
                    ? new SessionTicketKeysConfig(name, keys)
                    : throw path.Field("session_ticket_keys").Field("keys").Error("needs at least one key");
            default:
                throw path.Error("needs one of tls_certificate, validation_context, generic_secret or session_ticket_keys");
        }
    }

    /// <summary>A chain with its key: both can be read and belong together.</summary>
    public static TlsCertificateConfig Certificate(TlsCertificate certificate, string name, ConfigPath path)
    {
        var chain = DataSources.Read(certificate.CertificateChain, path.Field("certificate_chain"));
        var key = DataSources.Read(certificate.PrivateKey, path.Field("private_key"));
        CheckCertificates(chain, path.Field("certificate_chain"));
        try
        {
            using var pair = X509Certificate2.CreateFromPem(Encoding.UTF8.GetString(chain.Span), Encoding.UTF8.GetString(key.Span));
            return new TlsCertificateConfig(name, chain, key) { NotAfter = new DateTimeOffset(pair.NotAfter) };
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or NotSupportedException)
        {
            throw path.Field("private_key").Error("is no unencrypted PEM key of this certificate; send the key that the chain's first certificate was made for");
        }
    }

    /// <summary>The trusted CAs.</summary>
    public static ValidationContextConfig Validation(CertificateValidationContext context, string name, ConfigPath path)
    {
        path = path.Field("trusted_ca");
        // Envoy trusts every certificate where no CA is given.
        var ca = DataSources.Read(context.TrustedCa ?? throw path.Error("is missing; without it every certificate would be trusted"), path);
        CheckCertificates(ca, path);
        return new ValidationContextConfig(name, ca);
    }

    private static void CheckCertificates(ByteString pem, ConfigPath path)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(Encoding.UTF8.GetString(pem.Span));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw path.Error("holds a certificate that cannot be read");
        }
        var count = certificates.Count;
        foreach (var certificate in certificates)
        {
            certificate.Dispose();
        }
        if (count == 0)
        {
            throw path.Error("holds no PEM certificate (-----BEGIN CERTIFICATE-----)");
        }
    }

    private static ByteString TicketKey(Envoy.Config.Core.V3.DataSource source, ConfigPath path)
    {
        var key = DataSources.Read(source, path);
        return key.Length == TicketKeyBytes ? key : throw path.Error($"has {key.Length} bytes instead of {TicketKeyBytes}");
    }
}
