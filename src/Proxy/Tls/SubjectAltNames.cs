using System.Collections.Generic;
using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Postern.Xds.Config;

namespace Postern.Proxy.Tls;

/// <summary>The subject alternative names of a certificate (RFC 5280, 4.2.1.6). .NET's own reader knows DNS names and addresses only.</summary>
internal static class SubjectAltNames
{
    private const string Extension = "2.5.29.17";

    /// <summary>All names of the kinds that can be matched, in order; null where the extension is broken or stands twice: such a certificate has no names.</summary>
    public static List<(SubjectAltNameKind Kind, string Text)>? Read(X509Certificate2 certificate)
    {
        var names = new List<(SubjectAltNameKind, string)>();
        var found = false;
        foreach (var extension in certificate.Extensions)
        {
            if (extension.Oid?.Value == Extension)
            {
                if (found || !TryRead(extension.RawData, names))
                {
                    return null;
                }
                found = true;
            }
        }
        return names;
    }

    /// <summary>The content of the extension.</summary>
    public static bool TryRead(byte[] der, List<(SubjectAltNameKind Kind, string Text)> names)
    {
        try
        {
            var outer = new AsnReader(der, AsnEncodingRules.DER);
            var list = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            while (list.HasData)
            {
                var tag = list.PeekTag();
                switch (tag.TagClass == TagClass.ContextSpecific ? tag.TagValue : -1)
                {
                    case 1 or 2 or 6:
                        var text = list.ReadCharacterString(UniversalTagNumber.IA5String, tag);
                        if (text.Contains('\0'))
                        {
                            return false; // somebody reads it to there only
                        }
                        names.Add((tag.TagValue == 1 ? SubjectAltNameKind.Email : tag.TagValue == 2 ? SubjectAltNameKind.Dns : SubjectAltNameKind.Uri, text));
                        break;
                    case 7:
                        var address = list.ReadOctetString(tag);
                        if (address.Length is not (4 or 16))
                        {
                            return false;
                        }
                        names.Add((SubjectAltNameKind.IpAddress, new IPAddress(address).ToString()));
                        break;
                    default:
                        list.ReadEncodedValue();
                        break;
                }
            }
            return true;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }
}
