using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using Google.Protobuf;
using Postern.Proxy.Discovery;
using Postern.Proxy.Tls;
using Postern.Tests.Proxy.Discovery;
using Postern.Xds.Config;
using Postern.Xds.Discovery;
using static Postern.Tests.Proxy.Tls.Handshake;

namespace Postern.Tests.Proxy.Tls;

/// <summary>Secrets that come, change and are bad: what the next handshake gets, and what open connections keep.</summary>
public sealed class RotationTests : IDisposable
{
    private static readonly SecretReferenceConfig Own = new("own", new AdsSourceConfig(null));
    private static readonly SecretReferenceConfig Ca = new("ca", new AdsSourceConfig(null));
    private readonly TestAuthority authority = new();
    private readonly Dictionary<string, SecretConfig> secrets = [];

    public void Dispose() => authority.Dispose();

    private static DownstreamTlsConfig ServerConfig => new(new CommonTlsConfig { CertificateSecrets = [Own] }, false, false, true);

    private TlsContextSlot<TlsServerContext> ServerSlot() => new(
        ServerConfig.Common, reference => secrets.GetValueOrDefault(reference.Name),
        (TlsMaterial material, out TlsProblem? problem) => TlsServerContext.TryBuild(ServerConfig, material, TimeProvider.System, out problem));

    private UpstreamTlsConfig Client(string sni = "server.test") => Client1(new ValidationContextConfig("ca", authority.Pem), sni);

    [Fact]
    public async Task NewVersion_IsForNewHandshakesAndOpenConnectionsLiveOn()
    {
        secrets["own"] = authority.Issue(Leaf.Host("server.test") with { Serial = [1] });
        var slot = ServerSlot();
        await using var old = await RunAsync(slot.Current!.Options, ClientContext(Client()).Options);
        Assert.Equal("01", Shown(old.Client)!.SerialNumber);

        secrets["own"] = authority.Issue(Leaf.Host("server.test") with { Serial = [2] });
        slot.Refresh();
        await using var fresh = await RunAsync(slot.Current!.Options, ClientContext(Client()).Options);
        Assert.Equal("02", Shown(fresh.Client)!.SerialNumber);
        Assert.True(await old.EchoAsync());
    }

    [Fact]
    public void SameSecretAgain_KeepsTheContext()
    {
        var own = authority.Issue(Leaf.Host("server.test"));
        secrets["own"] = own;
        var slot = ServerSlot();
        var before = slot.Current;
        secrets["own"] = own with { };
        slot.Refresh();
        Assert.Same(before, slot.Current);
    }

    [Fact]
    public void MissingSecret_MakesNoContextAndIsNamed()
    {
        var slot = ServerSlot();
        Assert.Null(slot.Current);
        Assert.Equal("secret own: tls_certificate: has not come yet from ads", slot.Problem!.ToString());
        secrets["own"] = authority.Issue(Leaf.Host("server.test"));
        slot.Refresh();
        Assert.NotNull(slot.Current);
        Assert.Null(slot.Problem);
    }

    [Fact]
    public void BadVersion_LeavesTheOneBeforeInForce()
    {
        var good = authority.Issue(Leaf.Host("server.test"));
        secrets["own"] = good;
        var slot = ServerSlot();
        var before = slot.Current;
        foreach (var bad in new SecretConfig[] { good with { PrivateKey = authority.Issue(Leaf.Host("other.test")).PrivateKey }, new GenericSecretConfig("own", ByteString.CopyFromUtf8("hush")) })
        {
            secrets["own"] = bad;
            slot.Refresh();
            Assert.Same(before, slot.Current);
            Assert.StartsWith("secret own: tls_certificate: the ", slot.Problem!.ToString());
            Assert.DoesNotContain("hush", slot.Problem.ToString(), StringComparison.Ordinal);
        }
        secrets["own"] = good;
        slot.Refresh();
        Assert.Null(slot.Problem);
    }

    [Fact]
    public async Task NewCaOfAClient_IsAskedAtOnceWhateverSessionsAreKept()
    {
        var server = ServerContext(Server1(authority.Issue(Leaf.Host("server.test"))));
        var config = Client() with { Common = new CommonTlsConfig { ValidationSecret = Ca } };
        secrets["ca"] = new ValidationContextConfig("ca", authority.Pem);
        var slot = new TlsContextSlot<TlsClientContext>(
            config.Common, reference => secrets.GetValueOrDefault(reference.Name),
            (TlsMaterial material, out TlsProblem? problem) => TlsClientContext.TryBuild(config, material, TimeProvider.System, out problem));
        for (var i = 0; i < 3; i++)
        {
            await using var shake = await RunAsync(server.Options, slot.Current!.Options);
            Assert.True(shake.Succeeded, shake.ClientRefusal);
        }
        using var stranger = new TestAuthority("stranger");
        secrets["ca"] = new ValidationContextConfig("ca", stranger.Pem);
        slot.Refresh();
        await using var refused = await RunAsync(server.Options, slot.Current!.Options);
        Assert.False(refused.Succeeded);
        Assert.StartsWith("no valid chain to trusted_ca", refused.ClientRefusal);
    }

    [Fact]
    public void SecretsByDiscovery_ReachTheSlot()
    {
        var plane = new FakeDiscovery();
        var gate = new ChangeGate(TimeProvider.System);
        var fixedOne = new TlsCertificateConfig("fixed", ByteString.Empty, ByteString.Empty);
        var shared = new NamedResources<SecretConfig>(ResourceType.Secret, new DirectSubscriber(plane), gate, static config => (SecretConfig)config);
        var cached = new SecretReferenceConfig("fixed", null);
        var common = new CommonTlsConfig { CertificateSecrets = [Own, cached], ValidationSecret = Ca };
        var changes = 0;
        var held = new TlsSecrets(shared, [fixedOne], gate, common, () => changes++);
        Assert.Equal((null, null, fixedOne), (held.Find(Own), held.Find(Ca), held.Find(cached)));

        var own = authority.Issue(Leaf.Host("server.test"));
        plane.Send("SDS own", ("own", own));
        plane.Send("SDS ca", ("ca", new ValidationContextConfig("ca", authority.Pem)));
        Assert.Equal((own, 2), (held.Find(Own), changes));
        Assert.IsType<ValidationContextConfig>(held.Find(Ca));

        held.Dispose();
        Assert.Empty(plane.Open);
    }
}
