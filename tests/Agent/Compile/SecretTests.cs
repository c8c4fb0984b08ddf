using System;
using System.Linq;
using System.Text;
using Google.Protobuf;

namespace Postern.Tests.Agent.Compile;

public sealed class SecretTests
{
    [Fact]
    public void Secrets_BecomeSdsResources()
    {
        var node = Texts.Compile(
            "apiVersion: v1\nkind: Secret\nmetadata: {name: t, namespace: kube-system}\nstringData: {tls.crt: CERT, tls.key: KEY}",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: ca}\ndata: {ca.crt: Q0E=}",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {value: hunter2}",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: odd}\nstringData: {a: b, c: d}");
        Assert.All(node.Secrets, secret => Assert.Equal("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret", secret.TypeUrl));
        // name = 1; validation_context = 4 { trusted_ca = 1 { inline_bytes = 2 } }, generic_secret = 5 { secret = 1 }, tls_certificate = 2 { 1, 2 }
        Assert.Equal(
            [
                Wire("0A", "cilium-secrets/default-ca", "22", "0A", "12", "CA"),
                Wire("0A", "cilium-secrets/default-token", "2A", "0A", "12", "hunter2"),
                Field("0A", Encoding.UTF8.GetBytes("cilium-secrets/kube-system-t")) + Field("12", Convert.FromHexString(
                    Field("0A", Convert.FromHexString(Field("12", "CERT"u8.ToArray()))) + Field("12", Convert.FromHexString(Field("12", "KEY"u8.ToArray()))))),
            ],
            node.Secrets.Select(secret => Convert.ToHexString(secret.Value.Span)));
        Assert.Contains(node.Warnings, warning => warning.Contains("default/odd", StringComparison.Ordinal));
        Assert.DoesNotContain(node.Warnings, warning => warning.Contains("hunter2", StringComparison.Ordinal));
    }

    private static string Wire(string nameTag, string name, string outer, string middle, string inner, string value) =>
        Field(nameTag, Encoding.UTF8.GetBytes(name)) + Field(outer, Convert.FromHexString(Field(middle, Convert.FromHexString(Field(inner, Encoding.UTF8.GetBytes(value))))));

    private static string Field(string tag, byte[] value) => tag + value.Length.ToString("X2") + Convert.ToHexString(value);
}
