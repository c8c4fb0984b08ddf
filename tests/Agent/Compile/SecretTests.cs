using System;
using System.Linq;
using System.Text;
using Google.Protobuf;

namespace Postern.Tests.Agent.Compile;

public sealed class SecretTests
{
    private const string Terminating = "apiVersion: v1\nkind: Secret\nmetadata: {name: httpbin-tls-data, namespace: kube-system}\nstringData: {tls.crt: CERT, tls.key: KEY}";
    private const string Originating = "apiVersion: v1\nkind: Secret\nmetadata: {name: tls-orig-data, namespace: kube-system}\nstringData: {ca.crt: CA}";
    private const string Visibility =
        "egress: [{toPorts: [{ports: [{port: '443', protocol: TCP}], serverNames: [httpbin.org], terminatingTLS: {secret: {namespace: kube-system, name: httpbin-tls-data}}, "
        + "originatingTLS: {secret: {namespace: kube-system, name: tls-orig-data}}, rules: {http: [{method: GET, path: /status}]}}]}]";

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

    [Fact]
    public void TlsOfARule_NamesTheSecretsAsTheyAreServed()
    {
        var node = Texts.Compile([.. Texts.Pods, Texts.ForWeb(Visibility), Terminating, Originating]);
        var rule = node.Of("web").Policy.EgressPerPortPolicies.Single(entry => entry.Port == 443).Rules.Single();
        Assert.Equal("cilium-secrets/kube-system-httpbin-tls-data", rule.DownstreamTlsContext.TlsSdsSecret);
        Assert.Equal(("cilium-secrets/kube-system-tls-orig-data", ""), (rule.UpstreamTlsContext.ValidationContextSdsSecret, rule.UpstreamTlsContext.TlsSdsSecret));
        Assert.Equal(["httpbin.org"], rule.ServerNames);
        Assert.Empty(node.Warnings);
        // Nothing of a secret is in a policy, which is dumped and kept on disk.
        Assert.DoesNotContain("KEY", rule.ToString(), StringComparison.Ordinal);
        var served = string.Join("\n", node.Secrets.Select(secret => Encoding.UTF8.GetString(secret.Value.Span)));
        Assert.Contains(rule.DownstreamTlsContext.TlsSdsSecret, served, StringComparison.Ordinal);
        Assert.Contains(rule.UpstreamTlsContext.ValidationContextSdsSecret, served, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "terminatingTLS needs a Secret kube-system/httpbin-tls-data with tls.crt and tls.key", "originatingTLS needs a Secret kube-system/tls-orig-data with ca.crt")]
    [InlineData("apiVersion: v1\nkind: Secret\nmetadata: {name: httpbin-tls-data, namespace: kube-system}\nstringData: {tls.crt: CERT}", "terminatingTLS needs", "originatingTLS needs")]
    [InlineData(Terminating, "originatingTLS needs", "originatingTLS needs")]
    [InlineData(Originating, "terminatingTLS needs", "terminatingTLS needs")]
    public void TlsOfARuleWithoutItsSecret_IsWarnedOf(string secret, string one, string another)
    {
        var node = Texts.Compile([.. Texts.Pods, Texts.ForWeb(Visibility), .. new[] { secret }.Where(text => text.Length > 0)]);
        Assert.Contains(node.Warnings, warning => warning.Contains(one, StringComparison.Ordinal));
        Assert.Contains(node.Warnings, warning => warning.Contains(another, StringComparison.Ordinal));
        Assert.Single(node.Of("web").Policy.EgressPerPortPolicies, entry => entry.Port == 443); // the rule is served: the proxy refuses what it cannot keep
    }

    private static string Wire(string nameTag, string name, string outer, string middle, string inner, string value) =>
        Field(nameTag, Encoding.UTF8.GetBytes(name)) + Field(outer, Convert.FromHexString(Field(middle, Convert.FromHexString(Field(inner, Encoding.UTF8.GetBytes(value))))));

    private static string Field(string tag, byte[] value) => tag + value.Length.ToString("X2") + Convert.ToHexString(value);
}
