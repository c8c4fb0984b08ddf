using System;
using System.Linq;
using Envoy.Service.Discovery.V3;
using Postern.Policy;
using Postern.Xds.Discovery;
using Postern.Xds.Discovery.Protocol;

namespace Postern.Tests.Xds.Discovery;

/// <summary>Incremental: what each request carries.</summary>
public sealed class DeltaStateTests
{
    private static readonly Texts Decoder = new();

    private static DeltaState Started(ResourceType type, params string[] names)
    {
        var state = new DeltaState(type);
        foreach (var name in names)
        {
            state.Interest.Add(name);
        }
        state.StartStream();
        return state;
    }

    private static DecodedResponse Take(DeltaState state, DeltaDiscoveryResponse response)
    {
        Assert.True(state.TryBegin(response.Nonce));
        var decoded = new ResponseDecoder(state.Type, Decoder).Decode(state.Read(response), state.Held);
        Assert.Empty(decoded.Problems);
        state.Held.Accept(decoded, DateTimeOffset.UnixEpoch);
        state.Accept(decoded.Version);
        return decoded;
    }

    [Fact]
    public void Delta_LegacyWildcard_HasBothListsEmpty()
    {
        var request = Started(ResourceType.Cluster, "*").NextRequest()!;
        Assert.Empty(request.ResourceNamesSubscribe);
        Assert.Empty(request.ResourceNamesUnsubscribe);
        Assert.Empty(request.InitialResourceVersions);
        Assert.Equal("", request.ResponseNonce);
    }

    [Fact]
    public void Delta_WildcardBesideNames_IsExplicit() =>
        Assert.Equal(["*", "a"], Started(ResourceType.Cluster, "a", "*").NextRequest()!.ResourceNamesSubscribe);

    [Fact]
    public void Delta_FirstMessageOfANewStream_CarriesInitialVersionsAndTheWholeInterest()
    {
        var state = Started(ResourceType.Endpoint, "a", "b");
        state.NextRequest();
        Take(state, Texts.Delta(ResourceType.Endpoint, "1", "n1", ["a=1", "b=1"]));
        Take(state, Texts.Delta(ResourceType.Endpoint, "2", "n2", ["b=2"]));
        state.StartStream();
        var request = state.NextRequest()!;
        Assert.Equal(["a", "b"], request.ResourceNamesSubscribe);
        Assert.Equal(["a=1", "b=2"], request.InitialResourceVersions.Select(pair => $"{pair.Key}={pair.Value}").Order());
        Assert.Equal("", request.ResponseNonce);
    }

    [Fact]
    public void Delta_UnknownVersions_AreLeftOutOfTheInitialVersions()
    {
        var state = Started(ResourceType.Endpoint, "a");
        state.NextRequest();
        Take(state, Texts.Delta(ResourceType.Endpoint, "", "n1", ["a=1"]));
        state.StartStream();
        Assert.Empty(state.NextRequest()!.InitialResourceVersions);
    }

    [Fact]
    public void Delta_UnchangedBytesWithANewVersion_AreAskedForByThatVersion()
    {
        var state = Started(ResourceType.Endpoint, "a");
        state.NextRequest();
        var before = Take(state, Texts.Delta(ResourceType.Endpoint, "1", "n1", ["a=1"])).Entries[0].Item.Resource;
        var after = Take(state, Texts.Delta(ResourceType.Endpoint, "2", "n2", ["a=1"])).Entries[0].Item.Resource;
        Assert.Same(before.Config, after.Config);
        state.StartStream();
        Assert.Equal("2", state.NextRequest()!.InitialResourceVersions["a"]);
    }

    [Theory]
    [InlineData("NPDS")]
    [InlineData("NPHDS")]
    public void Delta_NewStreamOfCiliumsTypes_AsksForEverythingAndReplaces(string name)
    {
        var type = ResourceType.All.Single(candidate => candidate.ShortName == name);
        var state = Started(type, "*");
        state.NextRequest();
        Assert.True(Take(state, Texts.Delta(type, "1", "n1", ["1=x", "2=x"])).IsFullSet);
        Assert.False(Take(state, Texts.Delta(type, "2", "n2", ["3=x"])).IsFullSet);
        Assert.Equal(3, state.Held.Count);
        state.StartStream();
        Assert.Equal(UpdateStream.New, state.Stream);
        Assert.Empty(state.NextRequest()!.InitialResourceVersions);
        Assert.Equal(3, state.Held.Count);
        Take(state, Texts.Delta(type, "9", "n1", ["2=y"]));
        Assert.Equal(["2"], state.Held.All.Select(item => item.Resource.Name));
    }

    [Fact]
    public void Delta_NewStreamOfClusters_Merges()
    {
        var state = Started(ResourceType.Cluster, "*");
        state.NextRequest();
        Take(state, Texts.Delta(ResourceType.Cluster, "1", "n1", ["a=1", "b=1"]));
        state.StartStream();
        Assert.Equal(2, state.NextRequest()!.InitialResourceVersions.Count);
        Assert.False(Take(state, Texts.Delta(ResourceType.Cluster, "2", "m1", ["c=1"], "a")).IsFullSet);
        Assert.Equal(["b", "c"], state.Held.All.Select(item => item.Resource.Name).Order());
    }

    [Fact]
    public void Delta_Answer_NeverChangesTheSubscription()
    {
        var state = Started(ResourceType.Endpoint, "a");
        state.NextRequest();
        Take(state, Texts.Delta(ResourceType.Endpoint, "1", "n1", ["a=1"]));
        state.Interest.Add("b");
        var answer = state.NextAnswer()!;
        Assert.Equal("n1", answer.ResponseNonce);
        Assert.Empty(answer.ResourceNamesSubscribe);
        var change = state.NextRequest()!;
        Assert.Equal("", change.ResponseNonce);
        Assert.Equal(["b"], change.ResourceNamesSubscribe);
    }

    [Fact]
    public void Delta_Nack_CarriesTheNonceAndTheError()
    {
        var state = Started(ResourceType.Endpoint, "a");
        state.NextRequest();
        state.TryBegin("n1");
        state.Reject(new Google.Rpc.Status { Code = 13 });
        var nack = state.NextAnswer()!;
        Assert.Equal(("n1", 13), (nack.ResponseNonce, nack.ErrorDetail.Code));
    }

    [Fact]
    public void Delta_VersionsOfARejectedResponse_AreNotRecorded()
    {
        var state = Started(ResourceType.Endpoint, "a");
        state.NextRequest();
        Take(state, Texts.Delta(ResourceType.Endpoint, "1", "n1", ["a=1"]));
        state.TryBegin("n2");
        state.Reject(new Google.Rpc.Status { Code = 13 });
        state.StartStream();
        Assert.Equal("1", state.NextRequest()!.InitialResourceVersions["a"]);
    }

    [Fact]
    public void Delta_NothingChanged_NothingIsSent()
    {
        var state = Started(ResourceType.Endpoint, "a");
        state.NextRequest();
        state.Interest.Add("b");
        state.Interest.Remove("b");
        Assert.Null(state.NextRequest());
    }

    [Fact]
    public void Delta_RemoveThenAdd_IsSubscribedAgain()
    {
        var state = Started(ResourceType.Endpoint, "a");
        state.NextRequest();
        state.Interest.Remove("a");
        state.Interest.Add("a");
        var request = state.NextRequest()!;
        Assert.Equal(["a"], request.ResourceNamesSubscribe);
        Assert.Empty(request.ResourceNamesUnsubscribe);
    }

    [Fact]
    public void Delta_RemoveAddRemove_IsUnsubscribed()
    {
        var state = Started(ResourceType.Endpoint, "a");
        state.NextRequest();
        state.Interest.Remove("a");
        state.Interest.Add("a");
        state.Interest.Remove("a");
        var request = state.NextRequest()!;
        Assert.Empty(request.ResourceNamesSubscribe);
        Assert.Equal(["a"], request.ResourceNamesUnsubscribe);
    }

    [Fact]
    public void Delta_NameAddedTwice_IsSubscribedOnce()
    {
        var state = Started(ResourceType.Endpoint, "a", "a");
        Assert.Equal(["a"], state.NextRequest()!.ResourceNamesSubscribe);
        state.Interest.Add("b");
        state.Interest.Add("b");
        Assert.Equal(["b"], state.NextRequest()!.ResourceNamesSubscribe);
    }

    [Fact]
    public void Delta_NameGivenUpUnderAWildcard_IsKept()
    {
        var state = Started(ResourceType.Cluster, "*", "a");
        state.NextRequest();
        Take(state, Texts.Delta(ResourceType.Cluster, "1", "n1", ["a=1"]));
        state.Interest.Remove("a");
        Assert.NotNull(state.NextAnswer());
        Assert.Equal(["a"], state.NextRequest()!.ResourceNamesUnsubscribe);
        Assert.True(state.Interest.Covers("a"));
        state.StartStream();
        Assert.Equal("1", state.NextRequest()!.InitialResourceVersions["a"]);
    }

    [Fact]
    public void Delta_WildcardGivenUp_IsUnsubscribedByItsName()
    {
        var state = Started(ResourceType.Cluster, "*");
        state.NextRequest();
        state.Interest.Remove("*");
        Assert.Equal(["*"], state.NextRequest()!.ResourceNamesUnsubscribe);
        Assert.False(state.TryBegin("n"));
    }

    [Fact]
    public void Delta_RemovalOfAnUnknownName_IsAccepted()
    {
        var state = Started(ResourceType.Cluster, "*");
        state.NextRequest();
        Take(state, Texts.Delta(ResourceType.Cluster, "1", "n1", ["a=1"], "unknown"));
        Assert.Equal(1, state.Held.Count);
    }

    [Fact]
    public void Delta_RemovedAndSentAgain_IsHeld()
    {
        var state = Started(ResourceType.Cluster, "*");
        state.NextRequest();
        Take(state, Texts.Delta(ResourceType.Cluster, "1", "n1", ["a=1"]));
        Take(state, Texts.Delta(ResourceType.Cluster, "2", "n2", [], "a"));
        Assert.Equal(0, state.Held.Count);
        Take(state, Texts.Delta(ResourceType.Cluster, "3", "n3", ["a=1"]));
        Assert.Equal("3", state.Held.Find("a")!.Resource.Version);
    }
}
