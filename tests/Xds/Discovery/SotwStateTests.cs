using Envoy.Service.Discovery.V3;
using Postern.Xds.Discovery;
using Postern.Xds.Discovery.Protocol;

namespace Postern.Tests.Xds.Discovery;

/// <summary>State of the world: what each request carries.</summary>
public sealed class SotwStateTests
{
    private static readonly Google.Rpc.Status Error = new() { Code = 13, Message = "no" };

    private static SotwState Started(ResourceType type, params string[] names)
    {
        var state = new SotwState(type);
        foreach (var name in names)
        {
            state.Interest.Add(name);
        }
        state.StartStream();
        return state;
    }

    private static DiscoveryRequest Respond(SotwState state, string version, string nonce, Google.Rpc.Status? error = null)
    {
        Assert.True(state.TryBegin(nonce));
        if (error is null)
        {
            state.Accept(version);
        }
        else
        {
            state.Reject(error);
        }
        return state.NextAnswer()!;
    }

    [Fact]
    public void Sotw_FirstRequest_HasNoVersionAndNoNonce()
    {
        var request = Started(ResourceType.Route, "a").NextRequest()!;
        Assert.Equal(("", "", ResourceType.Route.TypeUrl), (request.VersionInfo, request.ResponseNonce, request.TypeUrl));
        Assert.Equal(["a"], request.ResourceNames);
        Assert.Null(request.ErrorDetail);
    }

    [Fact]
    public void Sotw_Ack_CarriesTheVersionAndNonceOfTheResponse()
    {
        var state = Started(ResourceType.Cluster, "*");
        state.NextRequest();
        var ack = Respond(state, "v1", "n1");
        Assert.Equal(("v1", "n1", null), (ack.VersionInfo, ack.ResponseNonce, ack.ErrorDetail));
        Assert.Null(state.NextRequest());
    }

    [Fact]
    public void Sotw_Nack_CarriesThePreviousAcceptedVersion()
    {
        var state = Started(ResourceType.Cluster, "*");
        state.NextRequest();
        Respond(state, "v1", "n1");
        var nack = Respond(state, "v2", "n2", Error);
        Assert.Equal(("v1", "n2", Error), (nack.VersionInfo, nack.ResponseNonce, nack.ErrorDetail));
    }

    [Fact]
    public void Sotw_NackBeforeAnythingWasAccepted_HasAnEmptyVersion()
    {
        var state = Started(ResourceType.Cluster, "*");
        state.NextRequest();
        Assert.Equal("", Respond(state, "v1", "n1", Error).VersionInfo);
    }

    [Fact]
    public void Sotw_AckAfterNack_HasNoErrorDetail()
    {
        var state = Started(ResourceType.Cluster, "*");
        state.NextRequest();
        Respond(state, "v1", "n1", Error);
        var ack = Respond(state, "v2", "n2");
        Assert.Equal(("v2", "n2", null), (ack.VersionInfo, ack.ResponseNonce, ack.ErrorDetail));
    }

    [Fact]
    public void Sotw_Wildcard_IsAnEmptyListInEveryRequest()
    {
        var state = Started(ResourceType.NetworkPolicy, "*");
        Assert.Empty(state.NextRequest()!.ResourceNames);
        Assert.Empty(Respond(state, "1", "1").ResourceNames);
    }

    [Fact]
    public void Sotw_WildcardBesideNames_IsExplicitFromThenOn()
    {
        var state = Started(ResourceType.Cluster, "*", "a");
        Assert.Equal(["*", "a"], state.NextRequest()!.ResourceNames);
        state.Interest.Remove("a");
        Assert.Equal(["*"], state.NextRequest()!.ResourceNames);
    }

    [Fact]
    public void Sotw_NoName_NoRequest() => Assert.Null(Started(ResourceType.Route).NextRequest());

    [Fact]
    public void Sotw_LastNameGivenUp_IsAnEmptyListOnceAndNothingAfterAReconnect()
    {
        var state = Started(ResourceType.Route, "a");
        state.NextRequest();
        state.Interest.Remove("a");
        Assert.Empty(state.NextRequest()!.ResourceNames);
        Assert.Null(state.NextRequest());
        state.StartStream();
        Assert.Null(state.NextRequest());
    }

    [Fact]
    public void Sotw_WildcardGivenUp_SendsNothing()
    {
        var state = Started(ResourceType.Cluster, "*");
        state.NextRequest();
        state.Interest.Remove("*");
        Assert.Null(state.NextRequest());
        Assert.True(state.TryBegin("n")); // the control plane cannot know
    }

    [Fact]
    public void Sotw_ChangeOfNames_CarriesAllNamesTheAcceptedVersionAndTheLatestNonce()
    {
        var state = Started(ResourceType.Endpoint, "b");
        state.NextRequest();
        Respond(state, "v1", "n1");
        state.Interest.Add("a");
        var request = state.NextRequest()!;
        Assert.Equal(["a", "b"], request.ResourceNames);
        Assert.Equal(("v1", "n1", null), (request.VersionInfo, request.ResponseNonce, request.ErrorDetail));
        Assert.Null(state.NextRequest());
    }

    [Fact]
    public void Sotw_ChangeOfNamesAfterANack_CarriesTheRejectedNonceWithoutAnError()
    {
        var state = Started(ResourceType.Endpoint, "b");
        state.NextRequest();
        Respond(state, "v1", "n1", Error);
        state.Interest.Add("a");
        var request = state.NextRequest()!;
        Assert.Equal(("", "n1", null), (request.VersionInfo, request.ResponseNonce, request.ErrorDetail));
    }

    [Fact]
    public void Sotw_ChangeOfNamesWhileAResponseIsInWork_GoesOutAfterItsAnswer()
    {
        var state = Started(ResourceType.Endpoint, "b");
        state.NextRequest();
        state.TryBegin("n1");
        state.Interest.Add("a");
        Assert.Null(state.NextRequest());
        state.Accept("v1");
        Assert.Null(state.NextRequest());
        Assert.Equal(["b"], state.NextAnswer()!.ResourceNames);
        Assert.Equal(["a", "b"], state.NextRequest()!.ResourceNames);
    }

    [Fact]
    public void Sotw_ChangeTakenBack_SendsNothing()
    {
        var state = Started(ResourceType.Endpoint, "a");
        state.NextRequest();
        state.Interest.Remove("a");
        state.Interest.Add("a");
        state.Interest.Add("b");
        state.Interest.Remove("b");
        Assert.Null(state.NextRequest());
    }

    [Fact]
    public void Sotw_NameWantedTwice_StaysUntilBothGiveItUp()
    {
        var state = Started(ResourceType.Endpoint, "a", "a");
        Assert.Equal(["a"], state.NextRequest()!.ResourceNames);
        state.Interest.Remove("a");
        Assert.Null(state.NextRequest());
        state.Interest.Remove("a");
        Assert.Empty(state.NextRequest()!.ResourceNames);
    }

    [Fact]
    public void Sotw_NewStream_CarriesTheAcceptedVersionAndNoNonce()
    {
        var state = Started(ResourceType.NetworkPolicy, "*");
        state.NextRequest();
        Respond(state, "41", "41");
        state.TryBegin("42");
        state.Accept("42"); // its ACK is thrown away with the stream
        state.StartStream();
        Assert.Null(state.NextAnswer());
        var request = state.NextRequest()!;
        Assert.Equal(("42", ""), (request.VersionInfo, request.ResponseNonce));
    }

    [Fact]
    public void Sotw_ResponseBeforeTheFirstRequest_IsUnsolicited() => Assert.False(Started(ResourceType.Cluster, "*").TryBegin("n"));
}
