using System;
using System.Linq;
using System.Net;
using Google.Protobuf;
using Postern.Proxy.Admin;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Discovery;

/// <summary>One policy for the process: when it is asked for, when it is swapped, what secrets it brings.</summary>
public sealed class PolicyInForceTests : IDisposable
{
    private static readonly GrpcSourceConfig Agent = Make.Plane with { Cluster = "agent" };

    private readonly DiscoveryRig rig = new();

    public PolicyInForceTests() => rig.Plane.Send("CDS");

    public void Dispose() => rig.Dispose();

    [Fact]
    public void NoListenerNamesASource_NothingIsSubscribed() => Assert.DoesNotContain("NPDS", rig.Plane.Open);

    [Fact]
    public void FirstListenerThatNamesIt_SubscribesOnceAndEverythingIsDeniedUntilItSpeaks()
    {
        rig.Plane.Send("LDS", Make.WithPolicy("a", 10, Agent), Make.WithPolicy("b", 11, Agent));

        Assert.Equal(["open a", "open b"], rig.Host.Log); // no listener waits for policy
        Assert.Single(rig.Plane.Log, "+NPDS");
        Assert.Single(rig.Plane.Log, "+NPHDS");
        Assert.Null(rig.Resources.Policy.Current.Policies.FindEndpoint("10.0.0.1"));
        Assert.Equal("", rig.Resources.Policy.Current.Version);

        Assert.Empty(rig.Plane.Find("NPHDS").Send("3", Make.Hosts(7, "10.0.0.9/32")));
        Assert.Empty(rig.Plane.Find("NPDS").Send("42", Make.Policy(1, "10.0.0.1")));

        Assert.NotNull(rig.Resources.Policy.Current.Policies.FindEndpoint("10.0.0.1"));
        Assert.Equal(7u, rig.Resources.Policy.Current.Hosts.Find(IPAddress.Parse("10.0.0.9")));
        Assert.Equal("42", rig.Resources.Policy.Current.Version);
    }

    [Fact]
    public void PolicyBeforeIdentities_IsNotEnforcedAndTheReasonIsSaid()
    {
        rig.Plane.Send("LDS", Make.WithPolicy("a", 10, Agent));
        rig.Plane.Find("NPDS").Send("42", Make.Policy(1, "10.0.0.1"));

        Assert.Null(rig.Resources.Policy.Current.Policies.FindEndpoint("10.0.0.1"));
        Assert.Contains("NPHDS", rig.Resources.Policy.Current.Note, StringComparison.Ordinal);
        Assert.DoesNotContain(rig.Lines, line => line.StartsWith("policy in force", StringComparison.Ordinal));
        rig.Plane.Send("NPHDS");

        Assert.NotNull(rig.Resources.Policy.Current.Policies.FindEndpoint("10.0.0.1"));
        Assert.Equal("", rig.Resources.Policy.Current.Note);
    }

    [Fact]
    public void LastListenerGoes_PolicyStaysSubscribedAndInForce()
    {
        Serve(Make.Policy(1, "10.0.0.1"));

        rig.Plane.Send("LDS");

        Assert.Contains("NPDS", rig.Plane.Open);
        Assert.NotNull(rig.Resources.Policy.Current.Policies.FindEndpoint("10.0.0.1"));
    }

    [Fact]
    public void BadPolicyInAnUpdate_NothingOfItAppliesAndTheProblemNamesIt()
    {
        Serve(Make.Policy(1, "10.0.0.1"));
        var before = rig.Resources.Policy.Current;

        var problem = Assert.Single(rig.Plane.Find("NPDS").Send("9", Make.Policy(2, "10.0.0.2"), Make.Policy(3, "10.0.0.2")));

        Assert.Contains("version 9 has duplicate resource key '10.0.0.2' on an old stream", problem.Reason, StringComparison.Ordinal);
        Assert.Same(before, rig.Resources.Policy.Current);
    }

    [Fact]
    public void DeltaUpdate_ChangesWhatItNames()
    {
        Serve(Make.Policy(1, "10.0.0.1"), Make.Policy(2, "10.0.0.2"));
        var kept = rig.Resources.Policy.Current.Policies.FindEndpoint("10.0.0.2");

        Assert.Empty(rig.Plane.Find("NPDS").Delta("2", ["1", "77"], Make.Policy(3, "10.0.0.3")));
        Assert.Empty(rig.Plane.Find("NPHDS").Delta("2", [], Make.Hosts(8, "10.0.0.8/32")));
        Assert.Empty(rig.Plane.Find("NPHDS").Delta("3", ["7"]));

        var now = rig.Resources.Policy.Current;
        Assert.Null(now.Policies.FindEndpoint("10.0.0.1"));
        Assert.Same(kept, now.Policies.FindEndpoint("10.0.0.2"));
        Assert.NotNull(now.Policies.FindEndpoint("10.0.0.3"));
        Assert.Equal((0u, 8u), (now.Hosts.Find(IPAddress.Parse("10.0.0.9")), now.Hosts.Find(IPAddress.Parse("10.0.0.8"))));
    }

    [Fact]
    public void SecretsThatPoliciesName_AreSubscribedFromTheSameSourceAndRotateWithoutAPolicyUpdate()
    {
        Serve(Make.Policy(1, "10.0.0.1", secret: "ns/token"));
        Assert.Equal("agent", ((GrpcSourceConfig)rig.Plane.Find("SDS ns/token").Source).Cluster);
        Assert.Null(Secret("ns/token"));

        rig.Plane.Send("SDS ns/token", ("ns/token", new GenericSecretConfig("ns/token", ByteString.CopyFromUtf8("one"))));
        Assert.Equal("one", Secret("ns/token"));
        rig.Plane.Send("SDS ns/token", ("ns/token", new GenericSecretConfig("ns/token", ByteString.CopyFromUtf8("two"))));
        Assert.Equal("two", Secret("ns/token"));

        rig.Plane.Send("NPDS", Make.Policy(1, "10.0.0.1"));
        Assert.DoesNotContain("SDS ns/token", rig.Plane.Open);
        Assert.Null(Secret("ns/token"));
    }

    [Fact]
    public void SecretOfTheBootstrap_NeedsNoSubscription()
    {
        using var other = new DiscoveryRig(bootstrap: DiscoveryRig.Bootstrap(("token", new GenericSecretConfig("token", ByteString.CopyFromUtf8("fixed")))));
        other.Plane.Send("CDS");
        other.Plane.Send("LDS", Make.WithPolicy("a", 10, Agent));
        other.Plane.Send("NPDS", Make.Policy(1, "10.0.0.1", secret: "token"));

        Assert.Equal("fixed", other.Resources.Policy.Secrets.FindGenericSecret("token"));
        Assert.DoesNotContain("SDS token", other.Plane.Open);
    }

    [Fact]
    public void EverythingIsRemoved_NothingIsHeld()
    {
        Serve([.. Enumerable.Range(1, 500).Select(i => Make.Policy((ulong)i, $"10.0.{i / 250}.{i % 250}", secret: $"s{i}"))]);
        Assert.Equal(500, rig.Plane.Open.Count(title => title.StartsWith("SDS", StringComparison.Ordinal)));

        rig.Plane.Send("NPDS");
        rig.Plane.Send("NPHDS");

        Assert.Equal(0, rig.Plane.Open.Count(title => title.StartsWith("SDS", StringComparison.Ordinal)));
        Assert.Empty(rig.Resources.Policy.Current.Policies.Resources);
        Assert.Empty(rig.Resources.Policy.Current.Policies.SecretNames);
        Assert.DoesNotContain(rig.Resources.ReadStatus(), s => s.Type.ShortName is "NPDS" or "NPHDS" or "SDS");
    }

    private void Serve(params (string, object)[] policies)
    {
        rig.Plane.Send("LDS", Make.WithPolicy("a", 10, Agent));
        Assert.Empty(rig.Plane.Send("NPHDS", Make.Hosts(7, "10.0.0.9/32")));
        Assert.Empty(rig.Plane.Send("NPDS", policies));
    }

    private string? Secret(string name) => rig.Resources.Policy.Secrets.FindGenericSecret(name);
}
