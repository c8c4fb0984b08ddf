using System;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Postern.Policy;
using Postern.Xds.Config;

namespace Postern.Proxy.Tls;

/// <summary>
/// Whether a peer's certificate will do: a chain to a trusted CA and to nothing else, in date, its pins, its names, not revoked. Immutable; no file, no
/// network, no lock. What it refused can be asked by the stream that it refused on.
/// </summary>
internal sealed class PeerCheck
{
    private static readonly ConditionalWeakTable<object, PeerRefusal> Refusals = [];

    private readonly ValidationContextConfig config;
    private readonly SubjectAltNameCheck names;
    private readonly RevocationCheck? revocation;

    private PeerCheck(ValidationContextConfig config, X509Certificate2Collection trusted, SubjectAltNameCheck names, RevocationCheck? revocation)
    {
        this.config = config;
        this.names = names;
        this.revocation = revocation;
        Trusted = trusted;
    }

    /// <summary>The CAs.</summary>
    public X509Certificate2Collection Trusted { get; }

    /// <summary>Whether it asks for more than a trusted chain: then, as in Envoy, a peer without a certificate is none.</summary>
    public bool NamesPeers => !names.IsEmpty || config.CertificateHashes.Count + config.KeyHashes.Count > 0;

    /// <summary>Whether names are asked for, which then stand in the place of the host name.</summary>
    public bool HasNames => !names.IsEmpty;

    /// <summary>Null with a problem.</summary>
    public static PeerCheck? TryBuild(ValidationContextConfig config, TimeProvider time, out TlsProblem? problem)
    {
        var trusted = new X509Certificate2Collection();
        RevocationCheck? revocation = null;
        try
        {
            trusted.ImportFromPem(Encoding.Latin1.GetString(config.TrustedCa.Span));
            if (trusted.Count == 0)
            {
                problem = new TlsProblem(config.Name, "trusted_ca", "is missing; without it nobody could be trusted");
                return null;
            }
            if (!config.Crl.IsEmpty && (revocation = RevocationCheck.TryBuild(config, trusted, time, out problem)) is null)
            {
                return null;
            }
            problem = null;
            return new PeerCheck(config, trusted, new SubjectAltNameCheck(config.SubjectAltNames), revocation);
        }
        catch (CryptographicException)
        {
            problem = new TlsProblem(config.Name, "trusted_ca", "holds a certificate that cannot be read");
        }
        catch (PolicyConfigException e)
        {
            problem = new TlsProblem(config.Name, "match_typed_subject_alt_names", e.Message);
        }
        return null;
    }

    /// <summary>Why the stream's peer was refused; null when it was not.</summary>
    public static string? RefusalOf(SslStream stream) => FindRefusal(stream)?.Text;

    /// <summary>The same with its kind, for counters.</summary>
    public static PeerRefusal? FindRefusal(SslStream stream) => Refusals.TryGetValue(stream, out var refusal) ? refusal : null;

    /// <summary>How chains are built: to these CAs, now, without asking anybody.</summary>
    public X509ChainPolicy NewChainPolicy()
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationTimeIgnored = true, // the time of the handshake, not that of the policy
            VerificationFlags = config.AllowExpired ? X509VerificationFlags.IgnoreNotTimeValid : X509VerificationFlags.NoFlag,
        };
        policy.CustomTrustStore.AddRange(Trusted);
        return policy;
    }

    /// <summary>The callback for a peer who must show a certificate.</summary>
    /// <param name="nameMatters">Whether the certificate must be for the name that was asked for.</param>
    /// <param name="namesMatter">Whether <c>match_typed_subject_alt_names</c> is asked, too.</param>
    public RemoteCertificateValidationCallback Callback(bool nameMatters, bool namesMatter = true) => (stream, certificate, chain, errors) =>
    {
        var problem = FindProblem(certificate as X509Certificate2, chain, errors, nameMatters, namesMatter);
        if (problem is not null)
        {
            Refusals.AddOrUpdate(stream, problem);
        }
        return problem is null;
    };

    /// <summary>The callback for clients who may come without a certificate, but not with a bad one.</summary>
    public RemoteCertificateValidationCallback OptionalCallback()
    {
        var check = Callback(nameMatters: false);
        return (stream, certificate, chain, errors) => certificate is null || check(stream, certificate, chain, errors);
    }

    private PeerRefusal? FindProblem(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors, bool nameMatters, bool namesMatter)
    {
        if (certificate is null || chain is null || (errors & SslPolicyErrors.RemoteCertificateNotAvailable) != 0)
        {
            return new PeerRefusal(PeerRefusalKind.NoCertificate, "no certificate was shown");
        }
        if ((errors & SslPolicyErrors.RemoteCertificateChainErrors) != 0)
        {
            return Bad("no valid chain to trusted_ca: " + (chain.ChainStatus is [var first, ..] ? first.Status.ToString() : "it cannot be built"));
        }
        if (nameMatters && (errors & SslPolicyErrors.RemoteCertificateNameMismatch) != 0)
        {
            return new PeerRefusal(PeerRefusalKind.Name, "the certificate is for another host name");
        }
        if (config.MaxDepth is { } depth && chain.ChainElements.Count - 2 > depth)
        {
            return Bad($"the chain has more than max_verify_depth {depth} certificates between leaf and CA");
        }
        if (!IsPinned(certificate))
        {
            return new PeerRefusal(PeerRefusalKind.Pin, "the certificate is none of verify_certificate_hash and verify_certificate_spki");
        }
        if (namesMatter && !names.IsEmpty && !names.Accepts(certificate))
        {
            return new PeerRefusal(PeerRefusalKind.Name, "no name in the certificate fits match_typed_subject_alt_names");
        }
        return revocation?.FindProblem(chain.ChainElements) is { } revoked ? Bad("a certificate of the chain: " + revoked) : null;
    }

    private static PeerRefusal Bad(string text) => new(PeerRefusalKind.Certificate, text);

    // As in Envoy one fit is enough, in whichever of the two lists.
    private bool IsPinned(X509Certificate2 certificate)
    {
        if (config.CertificateHashes.Count + config.KeyHashes.Count == 0)
        {
            return true;
        }
        var hash = Convert.ToHexString(SHA256.HashData(certificate.RawDataMemory.Span));
        var key = Convert.ToBase64String(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()));
        return config.CertificateHashes.AsSpan().Contains(hash) || config.KeyHashes.AsSpan().Contains(key);
    }
}
