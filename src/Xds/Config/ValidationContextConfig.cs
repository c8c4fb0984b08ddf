using Google.Protobuf;
using Postern.Policy.Config;

namespace Postern.Xds.Config;

/// <summary><c>validation_context</c>: whom a peer's certificate must come from and what must be in it.</summary>
/// <param name="Name">Of the secret, or empty.</param>
/// <param name="TrustedCa">PEM of the CAs; empty only in the default half of a combined context.</param>
public sealed record ValidationContextConfig(string Name, ByteString TrustedCa) : SecretConfig(Name)
{
    /// <summary><c>crl</c>: PEM; empty when none are consulted.</summary>
    public ByteString Crl { get; init; } = ByteString.Empty;

    /// <summary><c>only_verify_leaf_cert_crl</c>.</summary>
    public bool OnlyVerifyLeafCrl { get; init; }

    /// <summary><c>verify_certificate_hash</c>: SHA-256 of the certificate, 64 upper-case hexadecimal digits.</summary>
    public EquatableList<string> CertificateHashes { get; init; } = [];

    /// <summary><c>verify_certificate_spki</c>: SHA-256 of the public key, base64.</summary>
    public EquatableList<string> KeyHashes { get; init; } = [];

    /// <summary><c>match_typed_subject_alt_names</c>: one of them must match; empty asks for none.</summary>
    public EquatableList<SubjectAltNameConfig> SubjectAltNames { get; init; } = [];

    /// <summary><c>max_verify_depth</c>: how many certificates may stand between leaf and trusted CA; null for any.</summary>
    public int? MaxDepth { get; init; }

    /// <summary><c>allow_expired_certificate</c>.</summary>
    public bool AllowExpired { get; init; }

    /// <summary><c>suppress_client_ca_list</c>.</summary>
    public bool SuppressClientCaList { get; init; }

    /// <summary>This context with what a secret says merged into it, as <c>combined_validation_context</c> means: what both say, the secret decides; lists add up.</summary>
    public ValidationContextConfig Merge(ValidationContextConfig secret) => new(secret.Name, secret.TrustedCa.IsEmpty ? TrustedCa : secret.TrustedCa)
    {
        Crl = secret.Crl.IsEmpty ? Crl : secret.Crl,
        OnlyVerifyLeafCrl = OnlyVerifyLeafCrl || secret.OnlyVerifyLeafCrl,
        CertificateHashes = [.. CertificateHashes, .. secret.CertificateHashes],
        KeyHashes = [.. KeyHashes, .. secret.KeyHashes],
        SubjectAltNames = [.. SubjectAltNames, .. secret.SubjectAltNames],
        MaxDepth = secret.MaxDepth ?? MaxDepth,
        AllowExpired = AllowExpired || secret.AllowExpired,
        SuppressClientCaList = SuppressClientCaList || secret.SuppressClientCaList,
    };
}

/// <summary><c>SubjectAltNameMatcher</c>.</summary>
public sealed record SubjectAltNameConfig(SubjectAltNameKind Kind, StringMatcherConfig Matcher);

/// <summary><c>SubjectAltNameMatcher.SanType</c>, as far as it is built in.</summary>
public enum SubjectAltNameKind
{
    /// <summary>rfc822Name.</summary>
    Email = 1,

    /// <summary>dNSName.</summary>
    Dns = 2,

    /// <summary>uniformResourceIdentifier.</summary>
    Uri = 3,

    /// <summary>iPAddress, as text.</summary>
    IpAddress = 4,
}
