using System;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Postern.Xds.Config;
using static Postern.Tests.Proxy.Tls.Handshake;

namespace Postern.Tests.Proxy.Tls;

/// <summary>Certificates that say where to ask about them: nobody does, neither when a context is made nor in a handshake.</summary>
public sealed class OfflineTests : IDisposable
{
    private readonly TestAuthority root = new();
    private readonly TcpListener asked = new(IPAddress.Loopback, 0);

    public OfflineTests() => asked.Start();

    public void Dispose()
    {
        asked.Stop();
        root.Dispose();
    }

    private string Url => $"http://127.0.0.1:{((IPEndPoint)asked.LocalEndpoint).Port}";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task UrlsInACertificate_AreNotAsked(bool withoutChain)
    {
        using var middle = root.Intermediate("middle");
        var trust = new ValidationContextConfig("ca", root.Pem);
        TlsCertificateConfig Make(string name) => middle.Issue(Leaf.Host(name) with { LooksUpAt = Url, WithoutChain = withoutChain });
        await using var shake = await RunAsync(Server1(Make("server.test"), trust, require: true), Client1(trust, "server.test", Make("client.test")));
        // Without the chain only a download could complete it: so it fails, rather than ask.
        Assert.Equal(!withoutChain, shake.Succeeded);
        Assert.False(asked.Pending(), "somebody connected to the URL in the certificate");
    }
}
