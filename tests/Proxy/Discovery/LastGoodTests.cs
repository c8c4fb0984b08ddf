#pragma warning disable CA1416 // Linux only, as all of Postern

using System;
using System.IO;
using System.Linq;
using Google.Protobuf;
using Postern.Proxy.Admin;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Discovery;

/// <summary>A proxy that starts while its control plane is away enforces what was in force.</summary>
public sealed class LastGoodTests : IDisposable
{
    private static readonly GrpcSourceConfig Agent = Make.Plane with { Cluster = "agent" };

    private readonly string folder = Path.Combine(Path.GetTempPath(), "postern-" + Path.GetRandomFileName());
    private readonly FakeClock clock = new();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void RestartWithoutControlPlane_EverythingIsInForceAndSaysWhereFrom()
    {
        Fill();
        clock.Advance(TimeSpan.FromSeconds(39)); // a second more passes in silence

        using var rig = Restart();

        Assert.Equal([81], rig.Ports("echo"));
        Assert.NotNull(rig.Table("web"));
        var policy = rig.Resources.Policy.Current;
        Assert.NotNull(policy.Policies.FindEndpoint("10.0.0.1"));
        Assert.Equal("42 (from disk, 40 s old)", policy.Version);
        Assert.Equal("policy version 42 (from disk, 40 s old)", policy.Note);
        Assert.Equal(7u, policy.Hosts.Find(System.Net.IPAddress.Parse("10.0.0.9")));
        Assert.StartsWith("CDS, EDS, LDS, NPDS, NPHDS, RDS from the state on disk, 4", rig.Detail, StringComparison.Ordinal);
        Assert.All(rig.Resources.ReadStatus(), status => Assert.True(status.FromDisk, status.ToString()));
    }

    [Fact]
    public void ControlPlaneAnswersInTime_DiskIsNotUsed()
    {
        Fill();

        using var rig = new DiscoveryRig(clock, folder);
        rig.Plane.Send("CDS");
        clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Null(rig.Resources.FindCluster("echo"));
        Assert.Null(rig.Status("CDS", "echo"));
    }

    [Fact]
    public void FirstAcceptedUpdate_ReplacesWhatCameFromDisk()
    {
        Fill();
        using var rig = Restart();

        Assert.NotEmpty(rig.Plane.Find("NPDS").Send("50", Make.Policy(1, "10.0.0.1"), Make.Policy(2, "10.0.0.1")));
        Assert.NotNull(rig.Resources.Policy.Current.Policies.FindEndpoint("10.0.0.1"));
        Assert.Empty(rig.Plane.Find("NPDS").Send("51", Make.Policy(2, "10.0.0.2")));

        Assert.Null(rig.Resources.Policy.Current.Policies.FindEndpoint("10.0.0.1"));
        Assert.Equal(("51", ""), (rig.Resources.Policy.Current.Version, rig.Resources.Policy.Current.Note));
        Assert.False(rig.Status("NPDS", "2")!.FromDisk);
        Assert.DoesNotContain("NPDS", rig.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Secrets_AreNeverWritten()
    {
        Fill();

        Assert.NotEmpty(Directory.GetFiles(folder));
        Assert.DoesNotContain(Directory.GetFiles(folder), file => Path.GetFileName(file).StartsWith("sds", StringComparison.Ordinal));
        Assert.All(Directory.GetFiles(folder), file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("flipped")]
    [InlineData("empty")]
    [InlineData("foreign")]
    public void DamagedFile_IsRefusedWithOneLineAndEverythingIsDenied(string how)
    {
        Fill();
        foreach (var file in Directory.GetFiles(folder, "np*"))
        {
            var bytes = File.ReadAllBytes(file);
            bytes = how switch { "cut" => bytes[..^1], "empty" => [], "foreign" => "{\"policies\":[]}"u8.ToArray(), _ => bytes };
            if (how == "flipped")
            {
                bytes[^1] ^= 1;
            }
            File.WriteAllBytes(file, bytes);
        }

        using var rig = Restart();

        Assert.Null(rig.Resources.Policy.Current.Policies.FindEndpoint("10.0.0.1"));
        Assert.Single(rig.Lines, line => line.Contains("state on disk is not used", StringComparison.Ordinal) && line.Contains("npds", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void IdentitiesAreNotOnDisk_PolicyFromDiskIsNotEnforced(bool isDamaged)
    {
        Fill();
        var file = Assert.Single(Directory.GetFiles(folder, "nphds*"));
        if (isDamaged)
        {
            File.WriteAllText(file, "damaged");
        }
        else
        {
            File.Delete(file);
        }

        using var rig = Restart();

        var policy = rig.Resources.Policy.Current;
        Assert.Null(policy.Policies.FindEndpoint("10.0.0.1"));
        Assert.Contains("NPHDS", policy.Note, StringComparison.Ordinal);
        rig.Plane.Send("NPHDS", Make.Hosts(7, "10.0.0.9/32"));
        Assert.NotNull(rig.Resources.Policy.Current.Policies.FindEndpoint("10.0.0.1"));
        Assert.Contains("from disk", rig.Resources.Policy.Current.Note, StringComparison.Ordinal);
    }

    [Fact]
    public void StateThatCouldNotBeWritten_OlderOneIsNotConfirmedAndItIsTriedAgain()
    {
        using (var rig = new DiscoveryRig(clock, folder))
        {
            Fill(rig);
            clock.Advance(TimeSpan.FromSeconds(2));
            var file = Assert.Single(Directory.GetFiles(folder, "npds*"));
            var old = File.ReadAllBytes(file);
            Directory.CreateDirectory(file + ".new");
            rig.Plane.Find("NPDS").Send("43", Make.Policy(3, "10.0.0.3"));
            clock.Advance(TimeSpan.FromMinutes(5));

            Assert.Single(rig.Lines, line => line.Contains("state cannot be written", StringComparison.Ordinal));
            Assert.Equal(old, File.ReadAllBytes(file));
            Directory.Delete(file + ".new");
            clock.Advance(TimeSpan.FromSeconds(31));
            Assert.Single(rig.Lines, line => line.Contains("state is written again", StringComparison.Ordinal));
        }

        using var restarted = Restart();

        Assert.StartsWith("43 ", restarted.Resources.Policy.Current.Version, StringComparison.Ordinal);
    }

    [Fact]
    public void AnswerThatWasUnderWayWhenTheSourceChanged_IsPassedOver()
    {
        using var rig = new DiscoveryRig(clock, folder);
        Fill(rig);
        var old = rig.Plane.Find("NPDS");
        rig.Plane.Send("LDS", Make.WithPolicy("pod", 11, Agent with { Cluster = "other" }));

        Assert.Empty(old.Send("99", Make.Policy(9, "10.0.0.9")));

        Assert.NotNull(rig.Resources.Policy.Current.Policies.FindEndpoint("10.0.0.1"));
        Assert.Equal("42", rig.Resources.Policy.Current.Version);
    }

    [Fact]
    public void StateOfAnotherNode_IsRefused()
    {
        Fill();

        using var rig = Restart(DiscoveryRig.Bootstrap() with { Node = new Envoy.Config.Core.V3.Node { Id = "node-2" } });

        Assert.Null(rig.Resources.FindCluster("echo"));
        Assert.Contains(rig.Lines, line => line.Contains("belongs to node \"node-1\"", StringComparison.Ordinal));
    }

    [Fact]
    public void StateOlderThanAllowed_IsRefused()
    {
        Fill();
        clock.Advance(TimeSpan.FromHours(25));

        using var rig = Restart();

        Assert.Null(rig.Resources.FindCluster("echo"));
        Assert.Contains(rig.Lines, line => line.Contains("--state-max-age", StringComparison.Ordinal));
    }

    [Fact]
    public void StreamThatLivesButSaysNothingNew_KeepsTheStateYoung()
    {
        using (var rig = new DiscoveryRig(clock, folder))
        {
            Fill(rig);
            clock.Advance(TimeSpan.FromHours(30));
        }
        clock.Advance(TimeSpan.FromMinutes(1));

        using var restarted = Restart();

        Assert.Equal([81], restarted.Ports("echo"));
    }

    [Fact]
    public void DiskThatCannotBeWritten_CostsOneWarning()
    {
        using var rig = new DiscoveryRig(clock, folder);
        Directory.Delete(folder, recursive: true);
        Fill(rig);
        clock.Advance(TimeSpan.FromSeconds(5));
        rig.Plane.Find("NPDS").Send("43", Make.Policy(3, "10.0.0.3"));
        clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Single(rig.Lines, line => line.Contains("state cannot be written", StringComparison.Ordinal));
        Assert.NotNull(rig.Resources.Policy.Current.Policies.FindEndpoint("10.0.0.3"));
        Directory.CreateDirectory(folder);
    }

    [Fact]
    public void DeltaUpdates_AreKeptOnTopOfTheFullSet()
    {
        using (var rig = new DiscoveryRig(clock, folder))
        {
            Fill(rig);
            clock.Advance(TimeSpan.FromSeconds(2));
            rig.Plane.Find("NPDS").Delta("43", [], Make.Policy(2, "10.0.0.2"), Make.Policy(3, "10.0.0.3"));
            rig.Plane.Find("NPDS").Delta("44", ["1", "3"]);
        }

        using var restarted = Restart();

        Assert.StartsWith("44 (from disk", restarted.Resources.Policy.Current.Version, StringComparison.Ordinal);
        Assert.Equal("2", Assert.Single(restarted.Resources.Policy.Current.Policies.Resources).Name);
    }

    [Fact]
    public void TypesThatNobodyRefersToAnyMore_LeaveTheFile()
    {
        using (var rig = new DiscoveryRig(clock, folder))
        {
            Fill(rig);
            rig.Plane.Send("CDS");
            rig.Plane.Send("LDS");
        }

        using var restarted = Restart();

        Assert.DoesNotContain(restarted.Resources.ReadStatus(), s => s.Type.ShortName is "CDS" or "LDS" or "EDS" or "RDS");
    }

    private void Fill()
    {
        using var rig = new DiscoveryRig(clock, folder);
        Fill(rig);
    }

    private static void Fill(DiscoveryRig rig)
    {
        rig.Plane.Send("CDS", Make.Eds("echo"));
        rig.Plane.Send("EDS echo", Make.Endpoints("echo", 81));
        rig.Plane.Send("LDS", Make.Rds("web", 10, "table"), Make.WithPolicy("pod", 11, Agent));
        rig.Plane.Send("RDS table", Make.Routes("table", "echo"));
        rig.Plane.Send("NPHDS", Make.Hosts(7, "10.0.0.9/32"));
        rig.Plane.Find("NPDS").Send("42", Make.Policy(1, "10.0.0.1", secret: "s"));
        rig.Plane.Send("SDS s", ("s", new GenericSecretConfig("s", ByteString.CopyFromUtf8("hidden"))));
    }

    private DiscoveryRig Restart(BootstrapConfig? bootstrap = null)
    {
        var rig = new DiscoveryRig(clock, folder, bootstrap);
        clock.Advance(TimeSpan.FromMilliseconds(600)); // CDS stays silent, and with it its control plane
        clock.Advance(TimeSpan.FromMilliseconds(600)); // so does that of policy
        return rig;
    }
}
