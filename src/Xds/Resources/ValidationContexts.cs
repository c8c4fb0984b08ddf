using System;
using System.Collections.Generic;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Postern.Policy;
using Postern.Xds.Certificates;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>CertificateValidationContext</c>. What would accept a peer that nobody vouches for is refused.</summary>
internal static class ValidationContexts
{
    private const int MaxAuthorities = 1000; // a system's whole trust store has some 150
    private const int MaxLists = 100;
    private const int MaxItems = 1000; // pins, names
    private const int MaxDepth = 100; // as Envoy

    /// <summary>Validates; <paramref name="name"/> is that of the secret, or empty.</summary>
    public static ValidationContextConfig ToConfig(CertificateValidationContext context, string name, ConfigPath path)
    {
        // Envoy trusts every certificate where no CA is given.
        var ca = context.TrustedCa ?? throw path.Field("trusted_ca").Error("is missing; without it every certificate would be trusted");
        var trusted = DataSources.Read(ca, path.Field("trusted_ca"));
        TlsCertificates.CheckAll(trusted, MaxAuthorities, path.Field("trusted_ca"));
        return Rest(context, new ValidationContextConfig(name, trusted), path);
    }

    /// <summary>The default half of a combined context, whose CA may come with the secret.</summary>
    public static ValidationContextConfig ToDefault(CertificateValidationContext context, ConfigPath path) =>
        context.TrustedCa is null ? Rest(context, new ValidationContextConfig("", ByteString.Empty), path) : ToConfig(context, "", path);

    private static ValidationContextConfig Rest(CertificateValidationContext context, ValidationContextConfig config, ConfigPath path)
    {
        if (context.TrustChainVerification != CertificateValidationContext.Types.TrustChainVerification.VerifyTrustChain)
        {
            throw path.Field("trust_chain_verification").Error("ACCEPT_UNTRUSTED would let anybody in; write VERIFY_TRUST_CHAIN, or leave it out");
        }
        if (context.MaxVerifyDepth > MaxDepth)
        {
            throw path.Field("max_verify_depth").Error($"{context.MaxVerifyDepth} is more than {MaxDepth}");
        }
        CheckCount(context.VerifyCertificateHash.Count, path.Field("verify_certificate_hash"));
        CheckCount(context.VerifyCertificateSpki.Count, path.Field("verify_certificate_spki"));
        CheckCount(context.MatchTypedSubjectAltNames.Count, path.Field("match_typed_subject_alt_names"));
        return config with
        {
            Crl = context.Crl is null ? ByteString.Empty : Lists(context.Crl, path.Field("crl")),
            OnlyVerifyLeafCrl = context.OnlyVerifyLeafCertCrl,
            CertificateHashes = context.VerifyCertificateHash.Map(path.Field("verify_certificate_hash"), CertificateHash),
            KeyHashes = context.VerifyCertificateSpki.Map(path.Field("verify_certificate_spki"), KeyHash),
            SubjectAltNames = context.MatchTypedSubjectAltNames.Map(path.Field("match_typed_subject_alt_names"), Name),
            MaxDepth = (int?)context.MaxVerifyDepth,
            AllowExpired = context.AllowExpiredCertificate,
            SuppressClientCaList = context.SuppressClientCaList,
        };
    }

    private static ByteString Lists(Envoy.Config.Core.V3.DataSource source, ConfigPath path)
    {
        var pem = DataSources.Read(source, path);
        var blocks = new List<byte[]>();
        if (PemBlocks.Read(pem.Span, "X509 CRL", MaxLists, blocks) is { } reason)
        {
            throw path.Error(reason);
        }
        for (var i = 0; i < blocks.Count; i++)
        {
            if (RevocationList.TryRead(blocks[i], out reason) is null)
            {
                throw path.Error($"list {i + 1} {reason}");
            }
        }
        return pem;
    }

    private static string CertificateHash(string text, ConfigPath path)
    {
        var digits = text.Length == 95 ? text.Replace(":", "", StringComparison.Ordinal) : text;
        if (digits.Length != 64 || !IsHex(digits))
        {
            throw path.Error("is no SHA-256 in hexadecimal: 64 digits, or 95 characters with colons");
        }
        return digits.ToUpperInvariant();
    }

    private static bool IsHex(string text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiHexDigit(c))
            {
                return false;
            }
        }
        return true;
    }

    private static string KeyHash(string text, ConfigPath path)
    {
        var hash = new byte[32];
        return text.Length == 44 && Convert.TryFromBase64String(text, hash, out var length) && length == 32
            ? Convert.ToBase64String(hash)
            : throw path.Error("is no SHA-256 in base64: 44 characters");
    }

    private static SubjectAltNameConfig Name(SubjectAltNameMatcher matcher, ConfigPath path)
    {
        var kind = (SubjectAltNameKind)(int)matcher.SanType;
        if (!Enum.IsDefined(kind))
        {
            throw path.Field("san_type").Error(matcher.SanType == SubjectAltNameMatcher.Types.SanType.OtherName
                ? "OTHER_NAME is not built in; DNS, URI, EMAIL and IP_ADDRESS are"
                : "must be one of DNS, URI, EMAIL and IP_ADDRESS");
        }
        path = path.Field("matcher");
        var config = HeaderMatchers.ToConfig(matcher.Matcher ?? throw path.Error("is missing; without it every name would match"), path);
        try
        {
            TextPattern.Compile(config);
        }
        catch (PolicyConfigException e)
        {
            throw path.Error(e.Message);
        }
        return new SubjectAltNameConfig(kind, config);
    }

    private static void CheckCount(int count, ConfigPath path)
    {
        if (count > MaxItems)
        {
            throw path.Error($"has {count} items, more than {MaxItems}");
        }
    }
}
