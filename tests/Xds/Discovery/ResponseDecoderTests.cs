using System;
using System.Linq;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Discovery;
using Postern.Xds.Discovery.Protocol;

namespace Postern.Tests.Xds.Discovery;

/// <summary>What a response may hold.</summary>
public sealed class ResponseDecoderTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;
    private readonly Texts texts = new();
    private readonly HeldResources held = new();

    private DecodedResponse Sotw(DiscoveryResponse response, string heldVersion = "", ResourceType? type = null)
    {
        type ??= ResourceType.Cluster;
        return new ResponseDecoder(type, texts).Decode(SotwResponses.Read(response, type, heldVersion), held);
    }

    private DecodedResponse Delta(DeltaDiscoveryResponse response) =>
        new ResponseDecoder(ResourceType.Cluster, texts).Decode(DeltaResponses.Read(response, isFullSet: false), held);

    private static DiscoveryResponse Of(params Any[] resources)
    {
        var response = new DiscoveryResponse { TypeUrl = ResourceType.Cluster.TypeUrl, VersionInfo = "1", Nonce = "n" };
        response.Resources.AddRange(resources);
        return response;
    }

    [Fact]
    public void Response_ResourceOfAnotherType_IsRefused() =>
        Assert.Equal("@type", Assert.Single(Sotw(Of(Texts.Any(ResourceType.Listener, "a=1"))).Problems).Path);

    [Fact]
    public void Response_WrappedResource_IsUnwrapped()
    {
        var entry = Assert.Single(Sotw(Of(Texts.Wrap(ResourceType.Cluster, "a", "a=1", version: "7"))).Entries);
        Assert.Equal(("a", "7", "1"), (entry.Item.Resource.Name, entry.Item.Resource.Version, (string)entry.Item.Resource.Config));
    }

    [Fact]
    public void Response_WrappedResourceOfAnotherType_IsRefused() =>
        Assert.Equal("@type", Assert.Single(Sotw(Of(Texts.Wrap(ResourceType.Listener, "a", "a=1"))).Problems).Path);

    [Fact]
    public void Response_WrapperThatCannotBeRead_IsRefused()
    {
        var wrapper = Texts.Wrap(ResourceType.Cluster, "a", "a=1");
        wrapper.Value = ByteString.CopyFrom(0x0a, 0xff);
        Assert.Contains("not a valid", Assert.Single(Sotw(Of(wrapper)).Problems).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Response_WrapperOfAnotherName_IsRefused() =>
        Assert.Equal("name", Assert.Single(Sotw(Of(Texts.Wrap(ResourceType.Cluster, "b", "a=1"))).Problems).Path);

    [Fact]
    public void Response_DuplicateName_IsRefused()
    {
        var problem = Assert.Single(Sotw(Of(Texts.Any(ResourceType.Cluster, "a=1"), Texts.Any(ResourceType.Cluster, "a=2"))).Problems);
        Assert.Equal("a", problem.Resource);
    }

    [Fact]
    public void Response_NameInAddedAndRemoved_IsRefused() =>
        Assert.Equal("a", Assert.Single(Delta(Texts.Delta(ResourceType.Cluster, "1", "n", ["a=1"], "a")).Problems).Resource);

    [Fact]
    public void Response_AllProblems_AreCollectedUpToABound()
    {
        Assert.Equal(["a", "c"], Sotw(Of(Texts.Any(ResourceType.Cluster, "a=bad"), Texts.Any(ResourceType.Cluster, "b=1"), Texts.Wrap(ResourceType.Cluster, "c", "c=bad")))
            .Problems.Select(problem => problem.Resource == "#0" ? "a" : problem.Resource));
        Assert.Equal(16, Sotw(Of([.. Enumerable.Range(0, 100).Select(i => Texts.Any(ResourceType.Cluster, $"r{i}=bad"))])).Problems.Count);
    }

    [Fact]
    public void Response_ResourceThatCannotBeDecoded_IsNamedFromItsBytes()
    {
        var cluster = new Envoy.Config.Cluster.V3.Cluster { Name = "backend" };
        Assert.Equal("backend", ResourceNames.Peek(ResourceType.Cluster, cluster.ToByteString()));
        Assert.Equal("7", ResourceNames.Peek(ResourceType.NetworkPolicy, new Cilium.NetworkPolicy { EndpointIps = { "10.0.0.1" }, EndpointId = 7 }.ToByteString()));
        Assert.Equal("9", ResourceNames.Peek(ResourceType.NetworkPolicyHosts, new Cilium.NetworkPolicyHosts { Policy = 9 }.ToByteString()));
    }

    [Fact]
    public void Response_AnyBytes_GiveANameOrNone()
    {
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = new byte[random.Next(24)];
            random.NextBytes(bytes);
            var wrapper = new Any { TypeUrl = "type.googleapis.com/envoy.service.discovery.v3.Resource", Value = ByteString.CopyFrom(bytes) };
            foreach (var type in ResourceType.All)
            {
                Assert.NotNull(ResourceNames.Peek(type, wrapper.Value));
            }
            Assert.NotNull(Sotw(Of(wrapper)));
        }
    }

    [Fact]
    public void Response_DecoderWithABug_IsRefused() =>
        Assert.Contains("InvalidOperationException", Assert.Single(Sotw(Of(Texts.Any(ResourceType.Cluster, "a=bug"))).Problems).Reason, StringComparison.Ordinal);

    [Fact]
    public void Response_UnchangedBytes_AreNotDecodedAgain()
    {
        var first = Sotw(Of(Texts.Any(ResourceType.Cluster, "a=1"), Texts.Any(ResourceType.Cluster, "b=1")));
        held.Accept(first, Start);
        var second = Sotw(Of(Texts.Any(ResourceType.Cluster, "b=1"), Texts.Any(ResourceType.Cluster, "a=2")));
        Assert.Equal(3, texts.Decoded);
        Assert.Same(held.Find("b")!.Resource, second.Entries[0].Item.Resource);
    }

    [Fact]
    public void Sotw_FullSet_RemovesWhatIsAbsent()
    {
        held.Accept(Sotw(Of(Texts.Any(ResourceType.Cluster, "a=1"), Texts.Any(ResourceType.Cluster, "b=1"))), Start);
        held.Accept(Sotw(Of(Texts.Any(ResourceType.Cluster, "b=1"))), Start);
        Assert.Equal("b", Assert.Single(held.All).Resource.Name);
        held.Accept(Sotw(Of()), Start);
        Assert.Equal(0, held.Count);
    }

    [Fact]
    public void Sotw_OtherTypes_KeepWhatIsAbsent()
    {
        held.Accept(Sotw(Texts.Sotw(ResourceType.Endpoint, "1", "n", "a=1"), type: ResourceType.Endpoint), Start);
        held.Accept(Sotw(Texts.Sotw(ResourceType.Endpoint, "2", "n"), type: ResourceType.Endpoint), Start);
        Assert.Equal(1, held.Count);
    }

    [Fact]
    public void Delta_Heartbeat_ProlongsTheTtlOnly()
    {
        var response = new DeltaDiscoveryResponse { Resources = { Texts.Resource(ResourceType.Cluster, "a", "1", "a=1", ttlSeconds: 10) } };
        held.Accept(Delta(response), Start);
        var beat = new DeltaDiscoveryResponse { Resources = { Texts.Resource(ResourceType.Cluster, "a", "1", null, ttlSeconds: 10) } };
        var decoded = Delta(beat);
        Assert.True(Assert.Single(decoded.Entries).IsHeartbeat);
        held.Accept(decoded, Start.AddSeconds(8));
        Assert.Empty(held.Expired(Start.AddSeconds(17)));
        Assert.Equal(["a"], held.Expired(Start.AddSeconds(18)));
    }

    [Fact]
    public void Delta_HeartbeatOfAnotherVersion_ChangesNothing()
    {
        held.Accept(Delta(new DeltaDiscoveryResponse { Resources = { Texts.Resource(ResourceType.Cluster, "a", "1", "a=1", ttlSeconds: 10) } }), Start);
        var decoded = Delta(new DeltaDiscoveryResponse { Resources = { Texts.Resource(ResourceType.Cluster, "a", "2", null, ttlSeconds: 10) } });
        Assert.Empty(decoded.Entries);
        Assert.Empty(decoded.Problems);
    }

    [Fact]
    public void Delta_AliasThatLeadsNowhere_IsPassedOver()
    {
        var decoded = Delta(new DeltaDiscoveryResponse { Resources = { new Resource { Name = "r/x", Aliases = { "r/y" } } } });
        Assert.Empty(decoded.Entries);
        Assert.Empty(decoded.Problems);
    }

    [Fact]
    public void Sotw_Heartbeat_ComparesTheVersionOfTheResponse()
    {
        held.Accept(Sotw(Of(Texts.Wrap(ResourceType.Cluster, "a", "a=1", ttlSeconds: 10))), Start);
        Assert.True(Assert.Single(Sotw(Of(Texts.Wrap(ResourceType.Cluster, "a", null, ttlSeconds: 10)), heldVersion: "1").Entries).IsHeartbeat);
        // Anything else without a body would remove it from a full set.
        Assert.Equal("a", Assert.Single(Sotw(Of(Texts.Wrap(ResourceType.Cluster, "a", null, ttlSeconds: 10)), heldVersion: "0").Problems).Resource);
    }

    [Fact]
    public void Ttl_LaterMessageWithoutOne_Disarms()
    {
        held.Accept(Sotw(Of(Texts.Wrap(ResourceType.Cluster, "a", "a=1", ttlSeconds: 10))), Start);
        Assert.NotNull(held.NextExpiry());
        held.Accept(Sotw(Of(Texts.Wrap(ResourceType.Cluster, "a", "a=1"))), Start);
        Assert.Null(held.NextExpiry());
    }

    [Fact]
    public void Ttl_OfZero_IsRefused()
    {
        var wrapper = new Resource { Name = "a", Resource_ = Texts.Any(ResourceType.Cluster, "a=1"), Ttl = new Duration() };
        Assert.Single(Delta(new DeltaDiscoveryResponse { Resources = { wrapper } }).Problems);
    }

    [Fact]
    public void ErrorDetail_NamesResourcePathAndReason()
    {
        var status = ErrorDetail.Of([new ResourceProblem("a", "b[1].c", "is wrong; mend it"), new ResourceProblem("", "", "all of it")]);
        Assert.Equal(13, status.Code);
        Assert.Equal("resources[a].b[1].c: is wrong; mend it; all of it", status.Message);
        var request = Assert.Single(status.Details).Unpack<Google.Rpc.BadRequest>();
        Assert.Equal("resources[a].b[1].c", request.FieldViolations[0].Field);
        Assert.Equal("is wrong; mend it", request.FieldViolations[0].Description);
    }

    [Fact]
    public void ErrorDetail_LongMessage_IsCutAt4096Characters()
    {
        var message = ErrorDetail.Of([new ResourceProblem("", "", new string('x', 5000))]).Message;
        Assert.Equal(new string('x', 4096) + "...(truncated)", message);
    }
}
