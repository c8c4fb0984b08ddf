using System;
using System.Collections.Generic;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Threading.Tasks;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Admin.Pages;

/// <summary><c>/certs</c>: certificates of the TLS secrets in force, as Envoy's Certificates message. Never a key.</summary>
internal sealed class CertsPage(IAdminTarget target, TimeProvider time)
{
    public async Task ServeAsync(HttpContext context)
    {
        await using var stream = context.BeginJson();
        var json = stream.Json;
        json.WriteStartObject();
        json.WriteStartArray("certificates");
        foreach (var (name, chain, trusted) in Secrets())
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            WriteCertificates(json, "ca_cert", name, trusted);
            WriteCertificates(json, "cert_chain", name, chain);
            json.WriteEndObject();
            await stream.PaceAsync().ConfigureAwait(false);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private IEnumerable<(string Name, ByteString Chain, ByteString Trusted)> Secrets()
    {
        foreach (var secret in target.Bootstrap.StaticSecrets)
        {
            if (secret is TlsCertificateConfig certificate)
            {
                yield return (secret.Name, certificate.CertificateChain, ByteString.Empty);
            }
            else if (secret is ValidationContextConfig validation)
            {
                yield return (secret.Name, ByteString.Empty, validation.TrustedCa);
            }
        }
        foreach (var resource in target.Resources)
        {
            if (resource.Type == ResourceType.Secret && resource.State == ResourceState.Active && resource.Source is { } source
                && SecretCertificates.Read(source) is { } found)
            {
                yield return (resource.Name, found.Chain, found.Trusted);
            }
        }
    }

    private void WriteCertificates(Utf8JsonWriter json, string field, string secret, ByteString pem)
    {
        json.WriteStartArray(field);
        foreach (var certificate in SecretCertificates.Parse(pem))
        {
            using (certificate)
            {
                WriteDetails(json, secret, certificate);
            }
        }
        json.WriteEndArray();
    }

    private void WriteDetails(Utf8JsonWriter json, string secret, X509Certificate2 certificate)
    {
        var end = new DateTimeOffset(certificate.NotAfter.ToUniversalTime());
        json.WriteStartObject();
        json.WriteString("path", "<inline>");
        json.WriteString("secret", secret);
        json.WriteString("subject", certificate.Subject);
        json.WriteString("serial_number", certificate.SerialNumber.ToLowerInvariant());
        WriteNames(json, certificate);
        json.WriteString("days_until_expiration", ((long)Math.Max(Math.Floor((end - time.GetUtcNow()).TotalDays), 0)).ToString(CultureInfo.InvariantCulture));
        json.WriteTime("valid_from", new DateTimeOffset(certificate.NotBefore.ToUniversalTime()));
        json.WriteTime("expiration_time", end);
        json.WriteEndObject();
    }

    private static void WriteNames(Utf8JsonWriter json, X509Certificate2 certificate)
    {
        json.WriteStartArray("subject_alt_names");
        foreach (var extension in certificate.Extensions)
        {
            if (extension is not X509SubjectAlternativeNameExtension names)
            {
                continue;
            }
            foreach (var dns in names.EnumerateDnsNames())
            {
                WriteName(json, "dns", dns);
            }
            foreach (var address in names.EnumerateIPAddresses())
            {
                WriteName(json, "ip_address", address.ToString());
            }
        }
        json.WriteEndArray();
    }

    private static void WriteName(Utf8JsonWriter json, string kind, string value)
    {
        json.WriteStartObject();
        json.WriteString(kind, value);
        json.WriteEndObject();
    }
}
