using System;
using System.Net;
using Google.Protobuf;
using Postern.Filters;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Discovery;

/// <summary>Listeners name another source of policy: its policies and its identities come in force together, and the old pair serves until then.</summary>
public sealed class PolicySourceSwitchTests : IDisposable
{
    private static readonly GrpcSourceConfig Agent = Make.Plane with { Cluster = "agent" };
    private static readonly GrpcSourceConfig Other = Make.Plane with { Cluster = "other" };

    private readonly DiscoveryRig rig = new();

    public PolicySourceSwitchTests()
    {
        rig.Plane.Send("CDS");
        Use(Agent);
        Assert.Empty(rig.Plane.Send("NPHDS", Make.Hosts(7, "10.0.0.9/32")));
        Assert.Empty(rig.Plane.Send("NPDS", Make.Policy(1, "10.0.0.1", secret: "token")));
        Assert.Empty(rig.Plane.Send("SDS token", ("token", new GenericSecretConfig("token", ByteString.CopyFromUtf8("one")))));
    }

    public void Dispose() => rig.Dispose();

    [Theory]
    [InlineData("NPHDS", "NPDS")]
    [InlineData("NPDS", "NPHDS")]
    public void BothHalvesOfTheNewSource_ComeInForceInOneStep(string first, string second)
    {
        var old = InForce;

        Use(Other);
        Assert.Equal("other", ((GrpcSourceConfig)rig.Plane.Find("NPDS").Source).Cluster);
        Assert.Same(old, InForce);
        Answer(first);
        Assert.Same(old, InForce);
        Answer(second);

        Assert.Null(InForce.Policies.FindEndpoint("10.0.0.1"));
        Assert.NotNull(InForce.Policies.FindEndpoint("10.0.0.2"));
        Assert.Equal((0u, 8u), (Identity("10.0.0.9"), Identity("10.0.0.8")));
        Assert.Equal(("new", ""), (InForce.Version, InForce.Note));
    }

    [Theory]
    [InlineData("NPHDS")]
    [InlineData("NPDS")]
    public void OneHalfOfTheNewSourceTimesOutAndComesLater_TheOldPairStaysUntilThen(string late)
    {
        var old = InForce;
        Use(Other);
        Answer(late == "NPDS" ? "NPHDS" : "NPDS");

        rig.Plane.Find(late).TimeOut();

        Assert.Same(old, InForce);
        Assert.Contains(rig.Lines, line => line.Contains("initial_fetch_timeout", StringComparison.Ordinal));
        Answer(late);
        Assert.Equal("new", InForce.Version);
    }

    [Fact]
    public void PoliciesOfTheNewSourceAreRefused_TheOldPairStays()
    {
        var old = InForce;
        Use(Other);
        Answer("NPHDS");

        Assert.NotEmpty(rig.Plane.Find("NPDS").Send("bad", Make.Policy(2, "10.0.0.2"), Make.Policy(3, "10.0.0.2")));

        Assert.Same(old, InForce);
    }

    [Fact]
    public void UpdatesOfAHalfThatWaits_AreTakenAndTheNewestComesInForce()
    {
        Use(Other);
        Answer("NPDS");
        Assert.Empty(rig.Plane.Find("NPDS").Delta("newer", ["2"], Make.Policy(3, "10.0.0.3")));
        Answer("NPHDS");

        Assert.Null(InForce.Policies.FindEndpoint("10.0.0.2"));
        Assert.NotNull(InForce.Policies.FindEndpoint("10.0.0.3"));
        Assert.Equal("newer", InForce.Version);
    }

    [Fact]
    public void SourceIsTakenBackBeforeTheNewOneIsWhole_NothingOfTheNewOneComesInForce()
    {
        var old = InForce;
        Use(Other);
        Answer("NPDS");

        Use(Agent);
        Assert.Same(old, InForce);
        Assert.Empty(rig.Plane.Send("NPHDS", Make.Hosts(9, "10.0.0.9/32")));
        Assert.Same(old, InForce);
        Assert.Empty(rig.Plane.Find("NPDS").Send("back", Make.Policy(1, "10.0.0.1", secret: "token")));

        Assert.NotNull(InForce.Policies.FindEndpoint("10.0.0.1"));
        Assert.Null(InForce.Policies.FindEndpoint("10.0.0.2"));
        Assert.Equal(("back", 9u), (InForce.Version, Identity("10.0.0.9")));
    }

    [Fact]
    public void SecretsOfTheOldPolicies_StayUntilTheNewPairIsInForce()
    {
        Use(Other);
        Answer("NPDS");
        Assert.Equal("one", rig.Resources.Policy.Secrets.FindGenericSecret("token"));
        Assert.Equal("agent", ((GrpcSourceConfig)rig.Plane.Find("SDS token").Source).Cluster);

        Answer("NPHDS");

        Assert.DoesNotContain("SDS token", rig.Plane.Open);
        Assert.Null(rig.Resources.Policy.Secrets.FindGenericSecret("token"));
    }

    [Fact]
    public void SameSecretNameUnderTheNewSource_IsAskedOfTheNewSource()
    {
        Use(Other);
        Answer("NPHDS");
        Assert.Empty(rig.Plane.Send("NPDS", Make.Policy(1, "10.0.0.1", secret: "token")));

        Assert.Equal("other", ((GrpcSourceConfig)rig.Plane.Find("SDS token").Source).Cluster);
    }

    [Fact]
    public void FirstSourceNeverSpokeWhole_IdentitiesOfItDoNotMeetPoliciesOfTheSecond()
    {
        using var fresh = new DiscoveryRig();
        fresh.Plane.Send("CDS");
        fresh.Plane.Send("LDS", Make.WithPolicy("a", 10, Agent));
        Assert.Empty(fresh.Plane.Send("NPHDS", Make.Hosts(7, "10.0.0.9/32")));

        fresh.Plane.Send("LDS", Make.WithPolicy("a", 10, Other));
        Assert.Empty(fresh.Plane.Send("NPDS", Make.Policy(1, "10.0.0.1")));

        Assert.Null(fresh.Resources.Policy.Current.Policies.FindEndpoint("10.0.0.1"));
        Assert.Contains("NPHDS", fresh.Resources.Policy.Current.Note, StringComparison.Ordinal);
        Assert.Empty(fresh.Plane.Send("NPHDS"));
        Assert.NotNull(fresh.Resources.Policy.Current.Policies.FindEndpoint("10.0.0.1"));
    }

    private PolicyState InForce => rig.Resources.Policy.Current;

    private uint Identity(string address) => InForce.Hosts.Find(IPAddress.Parse(address));

    private void Use(GrpcSourceConfig source) => rig.Plane.Send("LDS", Make.WithPolicy("a", 10, source));

    private void Answer(string type) => Assert.Empty(type == "NPHDS"
        ? rig.Plane.Find(type).Send("new", Make.Hosts(8, "10.0.0.8/32"))
        : rig.Plane.Find(type).Send("new", Make.Policy(2, "10.0.0.2")));
}
