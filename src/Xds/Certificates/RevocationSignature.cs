using System;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Xds.Certificates;

/// <summary>The signature algorithms of revocation lists, by object identifier.</summary>
internal static class RevocationSignature
{
    public static bool IsKnown(string oid) => Hash(oid) is not null;

    public static bool IsGood(X509Certificate2 authority, string oid, byte[] signed, byte[] signature)
    {
        try
        {
            if (IsRsa(oid))
            {
                using var rsa = authority.GetRSAPublicKey();
                return rsa is not null && rsa.VerifyData(signed, signature, Hash(oid)!.Value, RSASignaturePadding.Pkcs1);
            }
            using var ecdsa = authority.GetECDsaPublicKey();
            return ecdsa is not null && ecdsa.VerifyData(signed, signature, Hash(oid)!.Value, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static bool IsRsa(string oid) => oid.StartsWith("1.2.840.113549.", StringComparison.Ordinal);

    private static HashAlgorithmName? Hash(string oid) => oid switch
    {
        "1.2.840.113549.1.1.11" or "1.2.840.10045.4.3.2" => HashAlgorithmName.SHA256,
        "1.2.840.113549.1.1.12" or "1.2.840.10045.4.3.3" => HashAlgorithmName.SHA384,
        "1.2.840.113549.1.1.13" or "1.2.840.10045.4.3.4" => HashAlgorithmName.SHA512,
        _ => null,
    };
}
