using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Postern.Agent.Model;

namespace Postern.Agent.Compile;

/// <summary>
/// Kubernetes secrets → <c>envoy.extensions.transport_sockets.tls.v3.Secret</c>. One name holds one thing: a certificate with its key, a
/// trust bundle, or a value.
/// </summary>
internal static class SecretCompiler
{
    /// <summary>Where synchronised secrets live.</summary>
    public const string SecretsNamespace = "cilium-secrets";

    private const string TypeUrl = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

    // Field numbers of Secret and of what is in it. Source: Envoy's public API, extensions/transport_sockets/tls/v3/{secret,common}.proto.
    private const int SecretName = 1;
    private const int SecretTlsCertificate = 2;
    private const int SecretValidationContext = 4;
    private const int SecretGeneric = 5;
    private const int TlsCertificateChain = 1;
    private const int TlsPrivateKey = 2;
    private const int ValidationTrustedCa = 1;
    private const int GenericValue = 1;
    private const int DataInlineBytes = 2;

    /// <summary>The SDS name of a secret that a policy refers to.</summary>
    public static string NameOf(SecretReference secret) =>
        secret.Namespace == SecretsNamespace ? $"{SecretsNamespace}/{secret.Name}" : $"{SecretsNamespace}/{secret.Namespace}-{secret.Name}";

    /// <summary>Whether it holds a certificate and a key.</summary>
    public static bool HasCertificate(SecretObject secret) => secret.Data.ContainsKey("tls.crt") && secret.Data.ContainsKey("tls.key");

    /// <summary>Whether it is served as a trust bundle.</summary>
    public static bool IsBundle(SecretObject secret) => secret.Data.ContainsKey("ca.crt") && !HasCertificate(secret);

    /// <summary>By name. A secret that is none of the three is left out with a warning.</summary>
    public static List<Any> Compile(IReadOnlyList<SecretObject> secrets, List<string> warnings)
    {
        var built = new SortedDictionary<string, Any>(StringComparer.Ordinal);
        foreach (var secret in secrets)
        {
            var name = NameOf(new SecretReference(secret.Key.Namespace, secret.Key.Name));
            if (Body(secret) is not { } body)
            {
                warnings.Add($"{secret.Key}: holds neither tls.crt and tls.key, nor ca.crt, nor a single value; it is not served");
            }
            else if (!built.TryAdd(name, new Any { TypeUrl = TypeUrl, Value = Join(Text(SecretName, name), body) }))
            {
                warnings.Add($"{secret.Key}: its name {name} is another secret's, too; it is not served");
            }
            else if (HasCertificate(secret) && secret.Data.ContainsKey("ca.crt"))
            {
                warnings.Add($"{secret.Key}: holds a certificate and ca.crt; the certificate is served, put ca.crt into a secret of its own");
            }
        }
        return [.. built.Values];
    }

    private static ByteString? Body(SecretObject secret)
    {
        if (HasCertificate(secret))
        {
            return Message(SecretTlsCertificate, Join(Data(TlsCertificateChain, secret.Data["tls.crt"]), Data(TlsPrivateKey, secret.Data["tls.key"])));
        }
        if (secret.Data.TryGetValue("ca.crt", out var bundle))
        {
            return Message(SecretValidationContext, Data(ValidationTrustedCa, bundle));
        }
        return secret.Data.Count == 1 ? Message(SecretGeneric, Data(GenericValue, secret.Data.Values.First())) : null;
    }

    private static ByteString Data(int field, byte[] value) => Message(field, Message(DataInlineBytes, ByteString.CopyFrom(value)));

    private static ByteString Text(int field, string value) => Message(field, ByteString.CopyFromUtf8(value));

    private static ByteString Message(int field, ByteString value)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(value);
        }
        return ByteString.CopyFrom(stream.ToArray());
    }

    private static ByteString Join(ByteString one, ByteString two) => ByteString.CopyFrom([.. one.Span, .. two.Span]);
}
