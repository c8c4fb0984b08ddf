using System;
using System.Security.Cryptography.X509Certificates;
using Postern.Proxy.Tls;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Tls;

/// <summary>Which certificate a server shows for which name, and what a context says of itself.</summary>
public sealed class ServerSelectionTests : IDisposable
{
    private readonly TestAuthority authority = new();

    public void Dispose() => authority.Dispose();

    private TlsServerContext Context(bool requireSni = false)
    {
        var config = new DownstreamTlsConfig(
            new CommonTlsConfig { Certificates = [authority.Issue(new Leaf("first") { Dns = ["*.example.test", "first.test"] }), authority.Issue(Leaf.Host("a.example.test")), authority.Issue(new Leaf("common.test"))] },
            false, requireSni, true);
        return Handshake.ServerContext(config);
    }

    [Theory]
    [InlineData("a.example.test", "a.example.test")]
    [InlineData("A.EXAMPLE.test", "a.example.test")]
    [InlineData("b.example.test", "first")]
    [InlineData("first.test", "first")]
    [InlineData("x.y.example.test", "first")]
    [InlineData("unknown.test", "first")]
    [InlineData("", "first")]
    [InlineData(null, "first")]
    public void Name_SelectsTheCertificate(string? name, string expected) =>
        Assert.Equal(expected, Context().Select(name)!.ServerCertificateContext!.TargetCertificate.GetNameInfo(X509NameType.SimpleName, false));

    [Fact]
    public void ClientWithoutAName_IsRefusedWhereOneIsRequired()
    {
        var context = Context(requireSni: true);
        Assert.Null(context.Select(null));
        Assert.Null(context.Select(""));
        Assert.NotNull(context.Select("unknown.test"));
    }

    [Fact]
    public void NothingOfAKey_IsInAnyText()
    {
        var own = authority.Issue(Leaf.Host("server.test")) with { Password = Google.Protobuf.ByteString.CopyFromUtf8("hush-hush") };
        var key = own.PrivateKey.ToStringUtf8().Split('\n')[1];
        var common = new CommonTlsConfig { Certificates = [own], Validation = new ValidationContextConfig("ca", authority.Pem) };
        var server = new DownstreamTlsConfig(common, false, false, true);
        foreach (var thing in new object[]
        {
            own, common, server, new UpstreamTlsConfig(common, "x"), new TlsMaterial([own], common.Validation),
            Handshake.ServerContext(server), Handshake.ServerContext(server).Options, Handshake.ClientContext(new UpstreamTlsConfig(common, "x")).Options,
        })
        {
            var text = thing.ToString()!;
            Assert.DoesNotContain(key, text, StringComparison.Ordinal);
            Assert.DoesNotContain("hush-hush", text, StringComparison.Ordinal);
            Assert.DoesNotContain("BEGIN", text, StringComparison.Ordinal);
        }
    }
}
