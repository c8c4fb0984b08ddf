using System;
using System.Collections.Generic;
using System.Linq;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Postern.Xds.Certificates;

namespace Postern.Tests.Xds;

/// <summary>The reader of revocation lists against lists that .NET writes, and against damage.</summary>
public sealed class RevocationListTests : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddYears(50);
    private readonly ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly RSA rsa = RSA.Create(2048);

    public void Dispose()
    {
        ec.Dispose();
        rsa.Dispose();
    }

    private X509Certificate2 Authority(bool useRsa = false, X509KeyUsageFlags usage = X509KeyUsageFlags.CrlSign | X509KeyUsageFlags.KeyCertSign)
    {
        var request = useRsa
            ? new CertificateRequest("CN=authority", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest("CN=authority", ec, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.CreateSelfSigned(Now.AddYears(-1), Now.AddYears(1));
    }

    private static byte[] List(X509Certificate2 authority, HashAlgorithmName hash, params byte[][] serials)
    {
        var builder = new CertificateRevocationListBuilder();
        foreach (var serial in serials)
        {
            builder.AddEntry(serial, Now.AddDays(-1), X509RevocationReason.KeyCompromise);
        }
        return builder.Build(authority, 7, Now.AddDays(1), hash, RSASignaturePadding.Pkcs1, Now.AddDays(-1));
    }

    [Theory]
    [InlineData(false, "SHA256")]
    [InlineData(false, "SHA384")]
    [InlineData(false, "SHA512")]
    [InlineData(true, "SHA256")]
    [InlineData(true, "SHA384")]
    [InlineData(true, "SHA512")]
    public void ListOfAnAuthority_IsReadAndItsSignatureFound(bool useRsa, string hash)
    {
        using var authority = Authority(useRsa);
        var list = RevocationList.TryRead(List(authority, new HashAlgorithmName(hash), [0x12, 0x34], [0x00, 0xff]), out var reason);
        Assert.Equal("", reason);
        Assert.Equal((2, Now.AddDays(-1), Now.AddDays(1)), (list!.Count, list.ThisUpdate, list.NextUpdate));
        Assert.True(list.IsOf(authority.SubjectName.RawData));
        Assert.True(list.IsSignedBy(authority));
        Assert.True(list.Revokes([0x12, 0x34]));
        Assert.True(list.Revokes([0xff]));
        Assert.True(list.Revokes([0x00, 0xff])); // DER writes a zero before a high bit, a certificate may be read without
        Assert.False(list.Revokes([0x12]));
        Assert.False(list.Revokes([0x12, 0x34, 0x00]));
    }

    [Fact]
    public void EmptyList_RevokesNothing()
    {
        using var authority = Authority();
        var list = RevocationList.TryRead(List(authority, HashAlgorithmName.SHA256), out _)!;
        Assert.Equal(0, list.Count);
        Assert.True(list.IsSignedBy(authority));
    }

    [Fact]
    public void SignatureOfAnotherOrOfAKeyThatMayNotSignLists_IsNotGood()
    {
        using var authority = Authority();
        using var other = Authority(useRsa: true);
        using var forbidden = Authority(usage: X509KeyUsageFlags.KeyCertSign);
        var list = RevocationList.TryRead(List(authority, HashAlgorithmName.SHA256, [1]), out _)!;
        Assert.False(list.IsSignedBy(other));
        Assert.False(list.IsSignedBy(forbidden));
        Assert.True(list.IsSignedBy(authority));
        Assert.False(list.IsSignedBy(other)); // having found one good vouches for no other
    }

    [Fact]
    public void ForeignAlgorithm_IsNamed()
    {
        using var authority = Authority(useRsa: true);
        var builder = new CertificateRevocationListBuilder();
        var pss = builder.Build(authority, 1, Now.AddDays(1), HashAlgorithmName.SHA256, RSASignaturePadding.Pss, Now);
        Assert.Null(RevocationList.TryRead(pss, out var reason));
        Assert.StartsWith("is signed with algorithm 1.2.840.113549.1.1.10", reason, StringComparison.Ordinal);
    }

    // An issuing distribution point says that the list is about some certificates only.
    [Fact]
    public void CriticalExtension_IsRefused()
    {
        var der = CriticalList();
        Assert.Null(RevocationList.TryRead(der, out var reason));
        Assert.StartsWith("has the critical list extension 2.5.29.28", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void ListWithoutAnEnd_IsRefused()
    {
        Assert.Null(RevocationList.TryRead(CriticalList(withEnd: false), out var reason));
        Assert.StartsWith("has no nextUpdate", reason, StringComparison.Ordinal);
    }

    private static byte[] CriticalList(bool withEnd = true)
    {
        var writer = new System.Formats.Asn1.AsnWriter(System.Formats.Asn1.AsnEncodingRules.DER);
        void Algorithm()
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier("1.2.840.10045.4.3.2");
            }
        }
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                writer.WriteInteger(1);
                Algorithm();
                using (writer.PushSequence())
                {
                }
                writer.WriteUtcTime(Now);
                if (withEnd)
                {
                    writer.WriteUtcTime(Now.AddDays(1));
                }
                using (writer.PushSequence(new System.Formats.Asn1.Asn1Tag(System.Formats.Asn1.TagClass.ContextSpecific, 0)))
                using (writer.PushSequence())
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier("2.5.29.28"); // issuingDistributionPoint
                    writer.WriteBoolean(true);
                    writer.WriteOctetString([0x30, 0]);
                }
            }
            Algorithm();
            writer.WriteBitString([1, 2, 3]);
        }
        return writer.Encode();
    }

    /// <summary>Damage is refused, or leaves a list whose signature is not good: never one that is believed.</summary>
    [Fact]
    public void DamagedList_IsRefusedOrNotSigned()
    {
        using var authority = Authority();
        var seed = List(authority, HashAlgorithmName.SHA256, [1, 2, 3], [4, 5, 6]);
        var survivors = 0;
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(3000),
            Prop.ForAll(Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), number =>
            {
                var mutant = Mutate(seed, new Random(number));
                if (mutant.AsSpan().SequenceEqual(seed) || RevocationList.TryRead(mutant, out _) is not { } list)
                {
                    return true;
                }
                survivors++;
                return !list.IsSignedBy(authority);
            }));
        Assert.True(survivors > 0, "no mutant was read, so the signature was never asked");
    }

    /// <summary>Whatever the text: blocks of the label, or a reason of one line that shows nothing of it.</summary>
    [Fact]
    public void DamagedPem_IsReadOrRefused()
    {
        using var authority = Authority();
        var seed = Encoding.Latin1.GetBytes(authority.ExportCertificatePem() + "\nhush\n" + authority.ExportCertificatePem() + "\n");
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(3000),
            Prop.ForAll(Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), number =>
            {
                var blocks = new List<byte[]>();
                var reason = PemBlocks.Read(Mutate(seed, new Random(number)), "CERTIFICATE", 4, blocks);
                return reason is null
                    ? blocks.Count is > 0 and <= 4
                    : !reason.Contains('\n', StringComparison.Ordinal) && !reason.Contains("hush", StringComparison.Ordinal) && reason.Length < 200;
            }));
    }

    private static byte[] Mutate(byte[] seed, Random random)
    {
        var bytes = seed.ToList();
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 20), bytes.Count - at));
                    break;
                default:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 20), bytes.Count - at)));
                    break;
            }
            if (bytes.Count == 0)
            {
                break;
            }
        }
        return [.. bytes];
    }
}
