using System;
using System.Threading.Tasks;
using Google.Protobuf;
using Postern.Proxy.Tls;
using Postern.Xds.Config;
using static Postern.Tests.Proxy.Tls.Handshake;

namespace Postern.Tests.Proxy.Tls;

/// <summary><c>crl</c>: every issuer of the chain needs a list, and what is on it is refused.</summary>
public sealed class RevocationTests : IDisposable
{
    private static readonly byte[] Bad = [0x11, 0x22];
    private static readonly byte[] Good = [0x33, 0x44];
    private readonly TestAuthority root = new();
    private readonly DateTimeOffset later = DateTimeOffset.UtcNow.AddDays(7);

    public void Dispose() => root.Dispose();

    private static ByteString Join(params ByteString[] lists) => ByteString.CopyFromUtf8(string.Concat(Array.ConvertAll(lists, l => l.ToStringUtf8())));

    private UpstreamTlsConfig Client(ByteString lists, bool leafOnly = false) =>
        Client1(new ValidationContextConfig("ca", root.Pem) { Crl = lists, OnlyVerifyLeafCrl = leafOnly }, "server.test");

    private static DownstreamTlsConfig Server(TestAuthority issuer, byte[] serial) => Server1(issuer.Issue(Leaf.Host("server.test") with { Serial = serial }));

    [Fact]
    public async Task RevokedCertificate_IsRefusedAndAnotherIsNot()
    {
        var client = ClientContext(Client(root.RevocationList(later, Bad)));
        await using var revoked = await RunAsync(ServerContext(Server(root, Bad)).Options, client.Options);
        Assert.Equal((false, "a certificate of the chain: is revoked"), (revoked.Succeeded, revoked.ClientRefusal));
        await using var fine = await RunAsync(ServerContext(Server(root, Good)).Options, client.Options);
        Assert.True(fine.Succeeded, fine.ClientRefusal);
    }

    [Fact]
    public async Task RevokedClient_IsRefusedByTheServer()
    {
        var server = Server1(root.Issue(Leaf.Host("server.test")), new ValidationContextConfig("ca", root.Pem) { Crl = root.RevocationList(later, Bad) }, require: true);
        var trust = new ValidationContextConfig("ca", root.Pem);
        await using var shake = await RunAsync(server, Client1(trust, "server.test", root.Issue(Leaf.Host("client.test") with { Serial = Bad })));
        Assert.Equal((false, "a certificate of the chain: is revoked"), (shake.Succeeded, shake.ServerRefusal));
        await using var fine = await RunAsync(server, Client1(trust, "server.test", root.Issue(Leaf.Host("client.test") with { Serial = Good })));
        Assert.True(fine.Succeeded, fine.ServerRefusal);
    }

    [Fact]
    public async Task EveryIssuer_NeedsAList()
    {
        using var middle = root.Intermediate("middle");
        var server = Server(middle, Good);
        await using var half = await RunAsync(server, Client(root.RevocationList(later)));
        Assert.StartsWith("a certificate of the chain: no revocation list in crl is of its issuer", half.ClientRefusal);
        await using var otherHalf = await RunAsync(server, Client(middle.RevocationList(later)));
        Assert.StartsWith("a certificate of the chain: no revocation list in crl is of its issuer", otherHalf.ClientRefusal);
        await using var leafOnly = await RunAsync(server, Client(middle.RevocationList(later), leafOnly: true));
        Assert.True(leafOnly.Succeeded, leafOnly.ClientRefusal);
        await using var both = await RunAsync(server, Client(Join(root.RevocationList(later), middle.RevocationList(later))));
        Assert.True(both.Succeeded, both.ClientRefusal);
        await using var revoked = await RunAsync(Server(middle, Bad), Client(Join(root.RevocationList(later), middle.RevocationList(later, Bad))));
        Assert.Equal("a certificate of the chain: is revoked", revoked.ClientRefusal);
    }

    [Fact]
    public async Task OldList_IsNotBelievedButWhatItRevokesStaysRevoked()
    {
        var old = root.RevocationList(DateTimeOffset.UtcNow.AddMinutes(-1), Bad);
        await using var shake = await RunAsync(Server(root, Good), Client(old));
        Assert.StartsWith("a certificate of the chain: its issuer's revocation list is out of date", shake.ClientRefusal);
        await using var revoked = await RunAsync(Server(root, Bad), Client(Join(old, root.RevocationList(later))));
        Assert.Equal("a certificate of the chain: is revoked", revoked.ClientRefusal);
    }

    [Fact]
    public void ListThatTheNamedCaDidNotSign_MakesNoContext()
    {
        using var impostor = new TestAuthority(); // of the same name
        var config = Client(impostor.RevocationList(later));
        Assert.Null(TlsClientContext.TryBuild(config, new TlsMaterial([], config.Common.Validation), TimeProvider.System, out var problem));
        Assert.Equal("secret ca: crl: list 1 is not signed by the trusted CA that it names", problem!.ToString());
    }
}
