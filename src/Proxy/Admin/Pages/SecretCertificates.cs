using System;
using System.Collections.Generic;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Postern.Proxy.Admin.Pages;

/// <summary>
/// The public half of an <c>envoy.extensions.transport_sockets.tls.v3.Secret</c>. Only the fields of certificates are looked at, by number; the bytes
/// of a key are skipped and never held.
/// </summary>
internal static class SecretCertificates
{
    private const int MaxCertificates = 100; // of one bundle; a system's trust store has more, and nobody reads that here

    private const int TlsCertificate = 2; // Secret
    private const int ValidationContext = 4;
    private const int CertificateChain = 1; // TlsCertificate
    private const int TrustedCa = 1; // CertificateValidationContext
    private const int InlineBytes = 2; // DataSource
    private const int InlineString = 3;

    /// <summary>PEM of both, empty where there is none; null when this is no secret with certificates, or a broken one.</summary>
    public static (ByteString Chain, ByteString Trusted)? Read(Any secret)
    {
        try
        {
            var chain = Inline(Field(Field(secret.Value, TlsCertificate), CertificateChain));
            var trusted = Inline(Field(Field(secret.Value, ValidationContext), TrustedCa));
            return chain.IsEmpty && trusted.IsEmpty ? null : (chain, trusted);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    /// <summary>The certificates of a PEM text, each to be disposed; those before the first that cannot be read.</summary>
    public static IEnumerable<X509Certificate2> Parse(ByteString pem)
    {
        var text = Encoding.Latin1.GetString(pem.Span);
        var at = 0;
        for (var count = 0; count < MaxCertificates && PemEncoding.TryFind(text.AsSpan(at), out var fields); count++)
        {
            var block = text[(at + fields.Location.Start.Value)..(at + fields.Location.End.Value)];
            var isCertificate = text.AsSpan(at)[fields.Label].SequenceEqual("CERTIFICATE");
            at += fields.Location.End.Value;
            if (!isCertificate)
            {
                continue;
            }
            if (TryLoad(block) is not { } certificate)
            {
                yield break;
            }
            yield return certificate;
        }
    }

    private static X509Certificate2? TryLoad(string block)
    {
        try
        {
            return X509Certificate2.CreateFromPem(block);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static ByteString Inline(ByteString dataSource)
    {
        var bytes = Field(dataSource, InlineBytes);
        return bytes.IsEmpty ? Field(dataSource, InlineString) : bytes;
    }

    // The last length-delimited field of that number, or nothing.
    private static ByteString Field(ByteString message, int number)
    {
        var found = ByteString.Empty;
        var wanted = WireFormat.MakeTag(number, WireFormat.WireType.LengthDelimited);
        var input = message.CreateCodedInput();
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (tag == wanted)
            {
                found = input.ReadBytes();
            }
            else
            {
                input.SkipLastField();
            }
        }
        return found;
    }
}
