using System;
using System.Linq;
using Cilium;
using Envoy.Config.Listener.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Postern.Tests.Netns.Proxy;
using Postern.Xds.Discovery;

namespace Postern.Tests.Netns.ControlPlane;

/// <summary>What a control plane may not say, and what the operator reads of it.</summary>
public sealed class RefusalTests : IDisposable
{
    private const string Redis = "type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy";

    private readonly ControlPlaneRig _rig = new(ControlPlaneRig.Apart);

    public void Dispose() => _rig.Dispose();

    [ControlPlaneFact]
    public void UnknownFilterInAListener_IsRefusedByTypeAndName()
    {
        var server = Start();
        var bad = (Listener)Resources.Plain("bad", 18080, "original").Message;
        bad.FilterChains[0].Filters[0].TypedConfig = new Any { TypeUrl = Redis };

        var error = server.PublishAndWaitForNack(ResourceType.Listener, Steered(), ("bad", bad));

        Assert.Contains("bad", error.GetProperty("message").GetString());
        Assert.Contains("redis_proxy.v3.RedisProxy", error.GetProperty("message").GetString());
        StillServes();
    }

    [ControlPlaneTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void UnknownFieldInAPolicy_IsRefusedUnlessItMayOnlyWarn(bool warns)
    {
        var server = Start(warns ? ["--warn-unknown-security-fields"] : []);
        var (name, message) = ControlPlaneRig.PolicyOf("/private.*");
        var strange = NetworkPolicy.Parser.ParseFrom([.. message.ToByteArray(), 0xF8, 0x3E, 1]); // field 1007

        if (warns)
        {
            server.PublishAndWaitForAck(ResourceType.NetworkPolicy, (name, strange));
            Assert.StartsWith("200 ", _rig.Node.Try("/private"), StringComparison.Ordinal);
            return;
        }
        var error = server.PublishAndWaitForNack(ResourceType.NetworkPolicy, (name, strange));

        Assert.Contains("42", error.GetProperty("message").GetString());
        Assert.Contains("1007", error.GetProperty("message").GetString());
        Assert.Contains("1007", _rig.Admin("/xds"), StringComparison.Ordinal);
        StillServes();
    }

    [ControlPlaneFact]
    public void WrongTypeOnAStream_IsRefusedAndShown()
    {
        var server = Start();

        server.SendRaw(ResourceType.NetworkPolicy, new DiscoveryResponse { VersionInfo = "77", TypeUrl = ResourceType.Cluster.TypeUrl, Nonce = "odd" }.ToByteArray());

        _rig.WaitPage("/xds", "each type has its own stream");
        Assert.Contains("version 77", _rig.Admin("/xds"), StringComparison.Ordinal);
        StillServes();
    }

    [ControlPlaneFact]
    public void ResourceOf64MiBThatIsNone_IsRefusedAndShown()
    {
        var server = Start();
        var resource = new Any { TypeUrl = ResourceType.NetworkPolicy.TypeUrl, Value = UnsafeByteOperations.UnsafeWrap(new byte[64 << 20]) };

        server.SendRaw(ResourceType.NetworkPolicy, new DiscoveryResponse { VersionInfo = "78", TypeUrl = ResourceType.NetworkPolicy.TypeUrl, Nonce = "odd", Resources = { resource } }.ToByteArray());

        _rig.WaitPage("/xds", "version 78");
        StillServes();
    }

    [ControlPlaneFact]
    public void AnswerThatIsRepeatedWithAnOldNonce_ChangesNothing()
    {
        var server = Start();
        var sent = server.Events.Last(e => ForeignControlPlane.IsSend(e, ResourceType.NetworkPolicy));
        var (version, nonce) = (sent.GetProperty("version").GetString(), sent.GetProperty("nonce").GetString());
        var before = server.Requests(ResourceType.NetworkPolicy).Count;

        server.SendRaw(
            ResourceType.NetworkPolicy,
            new DiscoveryResponse { VersionInfo = version, TypeUrl = ResourceType.NetworkPolicy.TypeUrl, Nonce = nonce, Resources = { new Any { TypeUrl = ResourceType.NetworkPolicy.TypeUrl, Value = ControlPlaneRig.PolicyOf("/public.*").Message.ToByteString() } } }.ToByteArray());

        Patience.Until(() => server.Requests(ResourceType.NetworkPolicy).Count > before, () => "no answer");
        Assert.Equal(nonce, server.Requests(ResourceType.NetworkPolicy)[^1].GetProperty("nonce").GetString());
        StillServes();
    }

    private ForeignControlPlane Start(params string[] options)
    {
        _rig.Node.AddOrigin();
        var server = _rig.StartServer();
        _rig.StartProxy(options);
        _rig.PublishWorld(server);
        _rig.WaitLive();
        Patience.Until(() => _rig.Node.Try("/public").StartsWith("200 ", StringComparison.Ordinal), () => _rig.Admin("/xds"));
        return server;
    }

    private (string Name, IMessage Message) Steered() => Resources.Listener(ConfigText.Steered(_rig.Node.Listener));

    private void StillServes()
    {
        Assert.StartsWith("200 ", _rig.Node.Try("/public"), StringComparison.Ordinal);
        Assert.StartsWith("403 ", _rig.Node.Try("/private"), StringComparison.Ordinal);
    }
}
