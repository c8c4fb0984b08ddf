using System;
using System.Collections.Generic;
using System.Security.Cryptography.X509Certificates;
using Postern.Xds.Certificates;
using Postern.Xds.Config;

namespace Postern.Proxy.Tls;

/// <summary>
/// <c>crl</c>: every certificate below the trusted one (with <c>only_verify_leaf_cert_crl</c> the peer's own only) needs a list of its issuer, signed by it,
/// in date, that does not hold it. No list, no trust. Nothing is fetched.
/// </summary>
internal sealed class RevocationCheck
{
    private readonly List<RevocationList> lists;
    private readonly bool leafOnly;
    private readonly TimeProvider time;

    private RevocationCheck(List<RevocationList> lists, bool leafOnly, TimeProvider time)
    {
        this.lists = lists;
        this.leafOnly = leafOnly;
        this.time = time;
    }

    /// <summary>Null with a problem where a list cannot be read, or is signed by another than the trusted CA that it names.</summary>
    public static RevocationCheck? TryBuild(ValidationContextConfig config, X509Certificate2Collection trusted, TimeProvider time, out TlsProblem? problem)
    {
        var lists = new List<RevocationList>();
        var blocks = new List<byte[]>();
        var reason = PemBlocks.Read(config.Crl.Span, "X509 CRL", int.MaxValue, blocks);
        for (var i = 0; reason is null && i < blocks.Count; i++)
        {
            if (RevocationList.TryRead(blocks[i], out reason) is { } list)
            {
                lists.Add(list);
                reason = IsForged(list, trusted) ? $"list {i + 1} is not signed by the trusted CA that it names" : null;
            }
        }
        problem = reason is null ? null : new TlsProblem(config.Name, "crl", reason);
        return reason is null ? new RevocationCheck(lists, config.OnlyVerifyLeafCrl, time) : null;
    }

    /// <summary>Null when all is well, else what is not.</summary>
    /// <param name="chain">Built, from the peer's certificate to a trusted one.</param>
    public string? FindProblem(X509ChainElementCollection chain)
    {
        var checkedOnes = leafOnly ? 1 : Math.Max(1, chain.Count - 1);
        for (var i = 0; i < checkedOnes && i < chain.Count; i++)
        {
            var certificate = chain[i].Certificate;
            var issuer = chain[Math.Min(i + 1, chain.Count - 1)].Certificate;
            if (Find(certificate, issuer, certificate.SerialNumberBytes.Span) is { } problem)
            {
                return problem;
            }
        }
        return null;
    }

    private string? Find(X509Certificate2 certificate, X509Certificate2 issuer, ReadOnlySpan<byte> serial)
    {
        var now = time.GetUtcNow();
        var vouched = false;
        var stale = false;
        foreach (var list in lists)
        {
            if (!list.IsOf(certificate.IssuerName.RawData) || !list.IsSignedBy(issuer))
            {
                continue;
            }
            if (list.Revokes(serial))
            {
                return "is revoked"; // an old list may not know of more, but what it knows stays true
            }
            var current = list.ThisUpdate <= now && now < list.NextUpdate;
            vouched |= current;
            stale |= !current;
        }
        return vouched ? null : stale ? "its issuer's revocation list is out of date; send a newer one in crl" : "no revocation list in crl is of its issuer; add one, or set only_verify_leaf_cert_crl";
    }

    private static bool IsForged(RevocationList list, X509Certificate2Collection trusted)
    {
        var named = false;
        foreach (var authority in trusted)
        {
            if (list.IsOf(authority.SubjectName.RawData))
            {
                if (list.IsSignedBy(authority))
                {
                    return false;
                }
                named = true;
            }
        }
        return named;
    }
}
