using System;
using System.Collections.Generic;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Postern.Xds.Certificates;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>TlsCertificate</c>: a chain with its key. Both can be read, are of a kind .NET can use, and belong together.</summary>
internal static class TlsCertificates
{
    private const int MaxChain = 16; // nobody is known to have more than 5
    private const int MaxKeyBytes = 64 << 10;
    private const int MinRsaBits = 2048; // as Envoy
    private const string Rsa = "1.2.840.113549.1.1.1";
    private const string Ec = "1.2.840.10045.2.1";

    /// <summary>Validates; <paramref name="name"/> is that of the secret, or empty.</summary>
    public static TlsCertificateConfig ToConfig(TlsCertificate certificate, string name, ConfigPath path)
    {
        var chain = DataSources.Read(certificate.CertificateChain, path.Field("certificate_chain"));
        var key = DataSources.Read(certificate.PrivateKey, path.Field("private_key"));
        var password = certificate.Password is null ? ByteString.Empty : DataSources.Read(certificate.Password, path.Field("password"));
        CheckLeaf(chain, path.Field("certificate_chain"));
        if (key.Length > MaxKeyBytes)
        {
            throw path.Field("private_key").Error($"is longer than {MaxKeyBytes} bytes");
        }
        var config = new TlsCertificateConfig(name, chain, key) { Password = password };
        using var pair = Open(config, path);
        return config with { NotAfter = new DateTimeOffset(pair.NotAfter) };
    }

    /// <summary>Every certificate of a PEM text can be read.</summary>
    public static void CheckAll(ByteString pem, int max, ConfigPath path) => Dispose(ReadAll(pem, max, path));

    private static void CheckLeaf(ByteString pem, ConfigPath path)
    {
        var all = ReadAll(pem, MaxChain, path);
        try
        {
            using var rsa = all[0].PublicKey.Oid.Value == Rsa ? all[0].GetRSAPublicKey() : null;
            if (all[0].PublicKey.Oid.Value is not (Rsa or Ec))
            {
                throw path.Error($"the first certificate's key is of algorithm {all[0].PublicKey.Oid.Value}, which .NET cannot use; RSA and ECDSA are built in");
            }
            if (rsa is { KeySize: < MinRsaBits })
            {
                throw path.Error($"the first certificate's RSA key has {rsa.KeySize} bits; {MinRsaBits} are the least");
            }
        }
        finally
        {
            Dispose(all);
        }
    }

    private static List<X509Certificate2> ReadAll(ByteString pem, int max, ConfigPath path)
    {
        var blocks = new List<byte[]>();
        if (PemBlocks.Read(pem.Span, "CERTIFICATE", max, blocks) is { } reason)
        {
            throw path.Error(reason);
        }
        var all = new List<X509Certificate2>();
        try
        {
            foreach (var der in blocks)
            {
                all.Add(X509CertificateLoader.LoadCertificate(der));
            }
        }
        catch (CryptographicException)
        {
            Dispose(all);
            throw path.Error("holds a certificate that cannot be read");
        }
        return all;
    }

    private static X509Certificate2 Open(TlsCertificateConfig config, ConfigPath path)
    {
        var key = Encoding.Latin1.GetString(config.PrivateKey.Span);
        if (key.Contains("Proc-Type:", StringComparison.Ordinal))
        {
            throw path.Field("private_key").Error("is encrypted in OpenSSL's old form, which .NET cannot open; convert it with openssl pkcs8 -topk8");
        }
        var encrypted = key.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal);
        if (encrypted && config.Password.IsEmpty)
        {
            throw path.Field("private_key").Error("is encrypted; write its password into password, or send it unencrypted");
        }
        try
        {
            return KeyPairs.Open(config);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or NotSupportedException)
        {
            throw encrypted
                ? path.Field("private_key").Error("cannot be opened with this password, or is no key of this certificate; send the key that the chain's first certificate was made for")
                : path.Field("private_key").Error("is no unencrypted PEM key of this certificate; send the key that the chain's first certificate was made for");
        }
    }

    private static void Dispose(List<X509Certificate2> all)
    {
        foreach (var certificate in all)
        {
            certificate.Dispose();
        }
    }
}
