using System;
using System.Collections.Generic;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Xds.Certificates;

/// <summary>
/// A certificate revocation list (RFC 5280, section 5), read strictly: .NET takes none from memory. Complete lists of one issuer only; a
/// delta, an indirect or a partitioned list says so in a critical extension and is refused. Immutable.
/// </summary>
public sealed class RevocationList
{
    private readonly HashSet<string> serials;
    private readonly byte[] issuer;
    private readonly byte[] signed;
    private readonly byte[] signature;
    private readonly string algorithm;
    private byte[]? vouched; // certificate under whose key the signature was found good last; a benign race checks again

    private RevocationList(byte[] issuer, HashSet<string> serials, DateTimeOffset thisUpdate, DateTimeOffset nextUpdate, byte[] signed, byte[] signature, string algorithm)
    {
        this.issuer = issuer;
        this.serials = serials;
        this.signed = signed;
        this.signature = signature;
        this.algorithm = algorithm;
        ThisUpdate = thisUpdate;
        NextUpdate = nextUpdate;
    }

    /// <summary>When it was made.</summary>
    public DateTimeOffset ThisUpdate { get; }

    /// <summary>Until when it may be believed.</summary>
    public DateTimeOffset NextUpdate { get; }

    /// <summary>How many certificates it revokes.</summary>
    public int Count => serials.Count;

    /// <summary>Reads one list.</summary>
    /// <param name="der">The bytes, all of them.</param>
    /// <param name="reason">What is wrong, where null is returned.</param>
    public static RevocationList? TryRead(ReadOnlyMemory<byte> der, out string reason)
    {
        try
        {
            reason = "";
            return Read(der);
        }
        catch (AsnContentException)
        {
            reason = "is no certificate revocation list in DER";
        }
        catch (NotSupportedException e)
        {
            reason = e.Message;
        }
        return null;
    }

    /// <summary>Whether it speaks for certificates with this issuer name (DER).</summary>
    public bool IsOf(ReadOnlySpan<byte> issuerName) => issuerName.SequenceEqual(issuer);

    /// <summary>Whether the serial number (big-endian) is revoked.</summary>
    public bool Revokes(ReadOnlySpan<byte> serial) => serials.Contains(Key(serial));

    /// <summary>Whether this certificate's key signed it, and may sign lists.</summary>
    public bool IsSignedBy(X509Certificate2 authority)
    {
        if (vouched is { } known && authority.RawDataMemory.Span.SequenceEqual(known))
        {
            return true;
        }
        foreach (var extension in authority.Extensions)
        {
            if (extension is X509KeyUsageExtension usage && (usage.KeyUsages & X509KeyUsageFlags.CrlSign) == 0)
            {
                return false;
            }
        }
        if (!RevocationSignature.IsGood(authority, algorithm, signed, signature))
        {
            return false;
        }
        vouched = authority.RawData;
        return true;
    }

    private static RevocationList Read(ReadOnlyMemory<byte> der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var list = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        var signed = list.PeekEncodedValue().ToArray();
        var body = list.ReadSequence();
        var algorithm = list.PeekEncodedValue();
        var oid = list.ReadSequence().ReadObjectIdentifier();
        var signature = list.ReadBitString(out var unused);
        list.ThrowIfNotEmpty();
        if (unused != 0)
        {
            throw new AsnContentException();
        }
        if (!RevocationSignature.IsKnown(oid))
        {
            throw new NotSupportedException($"is signed with algorithm {oid}; RSA (PKCS#1) and ECDSA with SHA-256, SHA-384 or SHA-512 are built in");
        }
        if (body.PeekTag() == Asn1Tag.Integer && (!body.TryReadInt32(out var version) || version != 1))
        {
            throw new NotSupportedException("is a list of an unknown version");
        }
        if (!body.ReadEncodedValue().Span.SequenceEqual(algorithm.Span))
        {
            throw new AsnContentException();
        }
        var issuer = body.PeekEncodedValue().ToArray();
        body.ReadSequence();
        var thisUpdate = Time(body);
        if (!body.HasData || !IsTime(body.PeekTag()))
        {
            throw new NotSupportedException("has no nextUpdate, so nobody could say when it is too old");
        }
        var nextUpdate = Time(body);
        var serials = new HashSet<string>(StringComparer.Ordinal);
        if (body.HasData && body.PeekTag() == Asn1Tag.Sequence)
        {
            ReadEntries(body.ReadSequence(), serials);
        }
        if (body.HasData)
        {
            var wrapper = body.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0, true));
            RefuseCritical(wrapper.ReadSequence(), "list");
            wrapper.ThrowIfNotEmpty();
        }
        body.ThrowIfNotEmpty();
        return new RevocationList(issuer, serials, thisUpdate, nextUpdate, signed, signature, oid);
    }

    private static void ReadEntries(AsnReader entries, HashSet<string> serials)
    {
        while (entries.HasData)
        {
            var entry = entries.ReadSequence();
            serials.Add(Key(entry.ReadIntegerBytes().Span));
            Time(entry);
            if (entry.HasData)
            {
                RefuseCritical(entry.ReadSequence(), "entry");
            }
            entry.ThrowIfNotEmpty();
        }
    }

    // Number and key identifier are never critical where a complete, direct list has them; whatever is critical changes what the list means.
    private static void RefuseCritical(AsnReader extensions, string place)
    {
        while (extensions.HasData)
        {
            var extension = extensions.ReadSequence();
            var oid = extension.ReadObjectIdentifier();
            var critical = extension.PeekTag() == Asn1Tag.Boolean && extension.ReadBoolean();
            extension.ReadOctetString();
            extension.ThrowIfNotEmpty();
            if (critical)
            {
                throw new NotSupportedException($"has the critical {place} extension {oid}; only complete lists of one issuer are built in");
            }
        }
    }

    private static bool IsTime(Asn1Tag tag) => tag == Asn1Tag.UtcTime || tag == Asn1Tag.GeneralizedTime;

    private static DateTimeOffset Time(AsnReader reader) => reader.PeekTag() == Asn1Tag.UtcTime ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();

    private static string Key(ReadOnlySpan<byte> serial) => Convert.ToHexString(serial.TrimStart((byte)0));
}
