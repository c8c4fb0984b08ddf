using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using Postern.Proxy.Admin;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Tests.Proxy.Discovery;

/// <summary>Order of a start, all or nothing, and what an equal update does: nothing.</summary>
public sealed class UpdateTests
{
    [Fact]
    public void Listeners_AreAskedForAfterTheFirstAnswerOfClusters()
    {
        using var rig = new DiscoveryRig();
        Assert.Equal(["CDS"], rig.Plane.Open);
        Assert.Equal(ServerState.PreInitializing, rig.Resources.State);

        rig.Plane.Send("CDS");
        Assert.Equal(["CDS", "LDS"], rig.Plane.Open);
        Assert.Equal(ServerState.Initializing, rig.Resources.State);

        rig.Plane.Send("LDS");
        Assert.Equal(ServerState.Live, rig.Resources.State);
        Assert.True(rig.Resources.Initialized.IsCompleted);
    }

    [Fact]
    public void ClustersTimeOut_ListenersAreAskedForOnce()
    {
        using var rig = new DiscoveryRig();

        rig.Plane.Find("CDS").TimeOut();
        rig.Plane.Send("CDS");

        Assert.Single(rig.Plane.Log, "+LDS");
    }

    [Fact]
    public void ClustersAreRefused_ListenersAreAskedForAllTheSame()
    {
        using var rig = new DiscoveryRig();

        Assert.NotEmpty(rig.Plane.Send("CDS", Make.Fixed("orig", 80)));

        Assert.Contains("LDS", rig.Plane.Open);
    }

    [Fact]
    public void NameOfTheBootstrap_IsRefusedAndNothingOfTheUpdateApplies()
    {
        using var rig = new DiscoveryRig(bootstrap: DiscoveryRig.Bootstrap(Make.Inline("fixed", 9, "orig0").Config(c => c with { Transparent = true }), Make.Fixed("orig0", 1)));
        var problem = Assert.Single(rig.Plane.Send("CDS", Make.Fixed("new", 80), Make.Fixed("orig0", 80)));
        Assert.Equal(("orig0", "name"), (problem.Resource, problem.Path));
        Assert.Null(rig.Resources.FindCluster("new"));

        problem = Assert.Single(rig.Plane.Send("LDS", Make.Inline("a", 10, "orig0"), Make.Inline("fixed", 11, "orig0")));
        Assert.Equal("fixed", problem.Resource);
        Assert.Equal(["open fixed"], rig.Host.Log);
        Assert.Equal(ResourceState.Rejected, rig.Status("LDS", "fixed")!.State);
    }

    [Fact]
    public void TwoListenersOfOneAddress_NothingOfTheUpdateAppliesAndTheLastGoodStays()
    {
        using var rig = Started();
        rig.Plane.Send("LDS", Make.Tcp("a", 10, "echo"));

        var problem = Assert.Single(rig.Plane.Send("LDS", Make.Tcp("b", 11, "echo"), Make.Tcp("c", 11, "echo")));

        Assert.Equal("c", problem.Resource);
        Assert.Contains("taken by listener 'b'", problem.Reason, StringComparison.Ordinal);
        Assert.Equal(["open a"], rig.Host.Log);
    }

    [Fact]
    public void SourceThatTheBootstrapDoesNotProvide_NothingOfTheUpdateApplies()
    {
        using var rig = Started();
        var (name, config) = Make.Eds("far");
        var eds = ((ClusterConfig)config).Eds!;

        var problem = Assert.Single(rig.Plane.Send("CDS", Make.Fixed("new", 81), (name, (ClusterConfig)config with { Eds = eds with { Source = new AdsSourceConfig(null) } })));
        Assert.Equal(("far", "eds_cluster_config.eds_config"), (problem.Resource, problem.Path));
        Assert.Contains("ads_config", problem.Reason, StringComparison.Ordinal);
        Assert.Null(rig.Resources.FindCluster("new"));

        problem = Assert.Single(rig.Plane.Send("LDS", Make.Tcp("a", 10, "echo"), Make.WithPolicy("b", 11, Make.Plane with { Cluster = "nowhere" })));
        Assert.Equal("b", problem.Resource);
        Assert.Contains("'nowhere'", problem.Reason, StringComparison.Ordinal);
        Assert.Empty(rig.Host.Log);
        Assert.DoesNotContain("NPDS", rig.Plane.Open);
    }

    [Fact]
    public void SecondPolicySourceBesideThatOfTheBootstrap_IsRefused()
    {
        using var rig = new DiscoveryRig(bootstrap: DiscoveryRig.Bootstrap(Make.WithPolicy("fixed", 9, Make.Plane with { Cluster = "agent" })));
        rig.Plane.Send("CDS");

        var problem = Assert.Single(rig.Plane.Send("LDS", Make.WithPolicy("a", 10, Make.Plane with { Cluster = "other" })));

        Assert.Equal("a", problem.Resource);
        Assert.Contains("one policy source", problem.Reason, StringComparison.Ordinal);
        Assert.Equal("agent", ((GrpcSourceConfig)rig.Plane.Find("NPDS").Source).Cluster);
    }

    [Fact]
    public void OriginalDestinationClusterBehindAPlainListener_IsRefusedWithItsPath()
    {
        using var rig = Started();

        var problem = Assert.Single(rig.Plane.Send("LDS", Make.Tcp("a", 10, "orig")));

        Assert.Equal("filter_chains[0].filters[0].typed_config.cluster", problem.Path);
    }

    [Fact]
    public void RefusedUpdate_IsShownUntilTheNextGoodOne()
    {
        using var rig = Started();
        rig.Plane.Send("LDS", Make.Tcp("a", 10, "echo"));
        rig.Plane.Find("LDS").Send("bad", Make.Tcp("a", 10, "orig"));

        var status = rig.Status("LDS", "a")!;
        Assert.Equal((ResourceState.Active, "1"), (status.State, status.Version));
        Assert.Contains("ORIGINAL_DST", status.Error, StringComparison.Ordinal);

        rig.Plane.Find("LDS").Send("good", Make.Tcp("a", 10, "echo"));
        Assert.Equal(("good", ""), (rig.Status("LDS", "a")!.Version, rig.Status("LDS", "a")!.Error));
    }

    [Fact]
    public void EqualUpdate_ChangesNothing()
    {
        using var rig = Started();
        rig.Plane.Send("LDS", Make.Tcp("a", 10, "echo"), Make.Rds("b", 11, "table"));
        rig.Plane.Send("RDS table", Make.Routes("table", "echo"));
        var (cluster, table) = (rig.Resources.FindCluster("echo"), rig.Table("b"));
        var log = rig.Host.Log.Count;

        rig.Plane.Find("CDS").Send("2", Make.Fixed("echo", 80));
        rig.Plane.Find("LDS").Send("2", Make.Rds("b", 11, "table"), Make.Tcp("a", 10, "echo"));
        rig.Plane.Find("RDS table").Send("2", Make.Routes("table", "echo"));

        Assert.Same(cluster, rig.Resources.FindCluster("echo"));
        Assert.Same(table, rig.Table("b"));
        Assert.Equal(log, rig.Host.Log.Count);
        Assert.Equal("2", rig.Status("LDS", "a")!.Version);
    }

    [Fact]
    public void OneChangesOfMany_OnlyThatOneIsRebuilt()
    {
        using var rig = Started();
        rig.Plane.Send("LDS", Make.Tcp("a", 10, "echo"), Make.Tcp("b", 11, "echo"));

        rig.Plane.Send("LDS", Make.Tcp("a", 10, "echo"), Make.Tcp("b", 11, "echo", backlog: 3));

        Assert.Equal(["open a", "open b", "change b"], rig.Host.Log);
    }

    [Fact]
    public void DeltaUpdate_LeavesTheOthersAndRemovesByName()
    {
        using var rig = Started();
        rig.Plane.Send("LDS", Make.Tcp("a", 10, "echo"), Make.Tcp("b", 11, "echo"));

        rig.Plane.Find("LDS").Delta("2", ["a", "unknown"], Make.Tcp("c", 12, "echo"));

        Assert.Equal(["b", "c"], rig.Host.Open.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void PortInUse_IsANackTheOthersServeAndTheNextUpdateTriesAgain()
    {
        using var rig = Started();
        rig.Host.Taken.Add(10);

        var problem = Assert.Single(rig.Plane.Send("LDS", Make.Tcp("a", 10, "echo"), Make.Tcp("b", 11, "echo")));
        Assert.Equal("a", problem.Resource);
        Assert.Equal((ResourceState.Rejected, "address in use"), (rig.Status("LDS", "a")!.State, rig.Status("LDS", "a")!.Error));
        Assert.Equal(["b"], rig.Host.Open.Keys);

        rig.Host.Taken.Clear();
        Assert.Empty(rig.Plane.Send("LDS", Make.Tcp("a", 10, "echo"), Make.Tcp("b", 11, "echo")));
        Assert.Equal(["open b", "open a"], rig.Host.Log);
    }

    [Fact]
    public void ChangedAddressInUse_OldListenerStays()
    {
        using var rig = Started();
        rig.Plane.Send("LDS", Make.Tcp("a", 10, "echo"));
        rig.Host.Taken.Add(11);

        Assert.Single(rig.Plane.Send("LDS", Make.Tcp("a", 11, "echo")));

        Assert.Equal(10, rig.Host.Open["a"].Config.Addresses[0].Port);
        Assert.Equal(ResourceState.Active, rig.Status("LDS", "a")!.State);
    }

    [Fact]
    public void ClusterReplacedByAnother_NewOneIsThereWhenTheOldOneGoes()
    {
        using var rig = Started();
        var seen = new List<string>();
        rig.Plane.Send("CDS", Make.Fixed("echo", 80), Make.Fixed("other", 81));

        rig.Plane.Send("CDS", Make.Fixed("third", 82));

        Assert.Null(rig.Resources.FindCluster("echo"));
        Assert.Equal([82], rig.Ports("third"));
    }

    private static DiscoveryRig Started()
    {
        var rig = new DiscoveryRig();
        Assert.Empty(rig.Plane.Send("CDS", Make.Fixed("echo", 80)));
        return rig;
    }
}

internal static class NamedConfig
{
    public static (string, object) Config(this (string Name, object Config) named, Func<ListenerConfig, ListenerConfig> change) => (named.Name, change((ListenerConfig)named.Config));
}
