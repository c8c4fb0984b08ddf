using System;
using System.Collections.Generic;
using System.Linq;
using Postern.Proxy.Admin;

namespace Postern.Tests.Proxy.Discovery;

/// <summary>What waits for what, and what serves meanwhile: one test for each row of the rules.</summary>
public sealed class WarmingTests : IDisposable
{
    private readonly DiscoveryRig rig = new();

    public void Dispose() => rig.Dispose();

    [Fact]
    public void NewEdsCluster_IsNotVisibleUntilItsEndpointsCome()
    {
        Assert.Empty(rig.Plane.Send("CDS", Make.Eds("echo", service: "svc")));

        Assert.Null(rig.Resources.FindCluster("echo"));
        var status = rig.Status("CDS", "echo")!;
        Assert.Equal((ResourceState.Warming, "EDS svc"), (status.State, string.Join(' ', status.WaitingFor)));

        rig.Plane.Send("EDS svc", Make.Endpoints("svc", 81, 82));

        Assert.Equal([81, 82], rig.Ports("echo"));
        Assert.Equal(ResourceState.Active, rig.Status("CDS", "echo")!.State);
    }

    [Fact]
    public void NewStaticCluster_ServesAtOnce()
    {
        rig.Plane.Send("CDS", Make.Fixed("echo", 80));

        Assert.Equal([80], rig.Ports("echo"));
    }

    [Fact]
    public void UpdatedClusterOfKnownEndpoints_IsSwappedAtOnce()
    {
        Warm("echo", 81);
        var old = rig.Resources.FindCluster("echo");

        rig.Plane.Send("CDS", Make.Eds("echo", seconds: 9));

        Assert.NotSame(old, rig.Resources.FindCluster("echo"));
        Assert.Equal(TimeSpan.FromSeconds(9), rig.Resources.FindCluster("echo")!.ConnectTimeout);
        Assert.Equal([81], rig.Ports("echo"));
        Assert.Equal(["+CDS", "+LDS", "+EDS echo"], rig.Plane.Log.Order(StringComparer.Ordinal).OrderBy(Order));
    }

    [Fact]
    public void UpdatedClusterOfAnotherService_OldVersionServesUntilItsEndpointsCome()
    {
        Warm("echo", 81);

        rig.Plane.Send("CDS", Make.Eds("echo", service: "other"));
        Assert.Equal([81], rig.Ports("echo"));
        rig.Plane.Send("EDS echo", Make.Endpoints("echo", 83));
        Assert.Equal([83], rig.Ports("echo"));
        rig.Plane.Send("EDS other", Make.Endpoints("other", 84));

        Assert.Equal([84], rig.Ports("echo"));
        Assert.DoesNotContain("EDS echo", rig.Plane.Open);
    }

    [Fact]
    public void ChangeTakenBackBeforeItIsWarm_OldVersionStaysAndNothingIsWaitedFor()
    {
        Warm("echo", 81);
        var old = rig.Resources.FindCluster("echo");

        rig.Plane.Send("CDS", Make.Eds("echo", service: "other"));
        rig.Plane.Send("CDS", Make.Eds("echo"));

        Assert.Same(old, rig.Resources.FindCluster("echo"));
        Assert.DoesNotContain("EDS other", rig.Plane.Open);
        Assert.Equal(ResourceState.Active, rig.Status("CDS", "echo")!.State);
    }

    [Fact]
    public void EndpointsChange_ApplyAtOnceToTheSameCluster()
    {
        Warm("echo", 81);
        var old = rig.Resources.FindCluster("echo");

        rig.Plane.Send("EDS echo", Make.Endpoints("echo", 82));

        Assert.Same(old, rig.Resources.FindCluster("echo"));
        Assert.Equal([82], rig.Ports("echo"));
    }

    [Fact]
    public void EndpointsNeverCome_ClusterBecomesActiveWithoutAnyAndTakesThemLater()
    {
        rig.Plane.Send("CDS", Make.Eds("echo"));

        rig.Plane.Find("EDS echo").TimeOut();
        Assert.NotNull(rig.Resources.FindCluster("echo"));
        Assert.Empty(rig.Ports("echo"));
        rig.Plane.Send("EDS echo", Make.Endpoints("echo", 81));

        Assert.Equal([81], rig.Ports("echo"));
    }

    [Fact]
    public void ControlPlaneSaysThereAreNoEndpoints_ClusterDoesNotWaitAndTakesThemLater()
    {
        rig.Plane.Send("CDS", Make.Eds("echo"));

        rig.Plane.Find("EDS echo").Delta("1", ["echo"]);

        Assert.Equal(ResourceState.Active, rig.Status("CDS", "echo")!.State);
        Assert.Empty(rig.Ports("echo"));
        rig.Plane.Find("EDS echo").Delta("2", [], Make.Endpoints("echo", 81));
        Assert.Equal([81], rig.Ports("echo"));
    }

    [Fact]
    public void ControlPlaneSaysThereIsNoRouteTable_ListenerDoesNotWait()
    {
        rig.Plane.Send("CDS");
        rig.Plane.Send("LDS", Make.Rds("web", 10, "table"));

        rig.Plane.Find("RDS table").Delta("1", ["table"]);

        Assert.Equal(["open web"], rig.Host.Log);
        Assert.Null(rig.Table("web"));
    }

    [Fact]
    public void EndpointsRemovedByDelta_StayWhileTheClusterRefersToThem()
    {
        Warm("echo", 81);

        rig.Plane.Find("EDS echo").Delta("2", ["echo"]);

        Assert.Equal([81], rig.Ports("echo"));
    }

    [Fact]
    public void NewListener_OpensWhenItsRouteTableComes()
    {
        rig.Plane.Send("CDS");
        Assert.Empty(rig.Plane.Send("LDS", Make.Rds("web", 10, "table")));

        Assert.Empty(rig.Host.Open);
        Assert.Equal(["RDS table"], rig.Status("LDS", "web")!.WaitingFor);
        rig.Plane.Send("RDS table", Make.Routes("table", "echo"));

        Assert.Equal(["open web"], rig.Host.Log);
        Assert.NotNull(rig.Table("web"));
        Assert.Equal(ResourceState.Active, rig.Status("LDS", "web")!.State);
    }

    [Fact]
    public void UpdatedListenerOfAnotherTable_OldOneServesUntilItComes()
    {
        Open("web", "table");

        rig.Plane.Send("LDS", Make.Rds("web", 10, "other"));
        Assert.Equal(["open web"], rig.Host.Log);
        rig.Plane.Send("RDS other", Make.Routes("other", "echo"));

        Assert.Equal(["open web", "change web"], rig.Host.Log);
        Assert.DoesNotContain("RDS table", rig.Plane.Open);
    }

    [Fact]
    public void UpdatedListenerOfTheSameTable_IsReplacedAtOnceWithIt()
    {
        Open("web", "table");

        rig.Plane.Send("LDS", Make.Rds("web", 10, "table", backlog: 5));

        Assert.Equal(["open web", "change web"], rig.Host.Log);
        Assert.NotNull(rig.Table("web"));
    }

    [Fact]
    public void RouteTableChange_IsSwappedWithoutTouchingTheListener()
    {
        Open("web", "table");
        var old = rig.Table("web");

        rig.Plane.Send("RDS table", Make.Routes("table", "other"));

        Assert.NotSame(old, rig.Table("web"));
        Assert.Equal(["open web"], rig.Host.Log);
    }

    [Fact]
    public void RouteTableNeverComes_ListenerOpensWithoutAndTakesItLater()
    {
        rig.Plane.Send("CDS");
        rig.Plane.Send("LDS", Make.Rds("web", 10, "table"));

        rig.Plane.Find("RDS table").TimeOut();
        Assert.Equal(["open web"], rig.Host.Log);
        Assert.Null(rig.Table("web"));
        rig.Plane.Send("RDS table", Make.Routes("table", "echo"));

        Assert.NotNull(rig.Table("web"));
        Assert.Equal(["open web"], rig.Host.Log);
    }

    [Fact]
    public void TableHeldByAnotherListener_NewListenerDoesNotWait()
    {
        Open("web", "table");

        rig.Plane.Send("LDS", Make.Rds("web", 10, "table"), Make.Rds("web2", 11, "table"));

        Assert.Equal(["open web", "open web2"], rig.Host.Log);
        Assert.Single(rig.Plane.Log, "+RDS table");
    }

    [Fact]
    public void NamesOfOneUpdate_GoOutTogether()
    {
        rig.Plane.Send("CDS", Make.Eds("a"), Make.Eds("b"));
        rig.Plane.Send("LDS", Make.Rds("c", 10, "c"), Make.Rds("d", 11, "d"));

        Assert.Equal(["EDS a", "EDS b", "RDS c", "RDS d"], rig.Plane.Batched.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void EverythingIsRemoved_NoSubscriptionButTheWildcardsStays()
    {
        rig.Plane.Send("CDS", Make.Eds("a"), Make.Eds("b"), Make.Eds("c", service: "a"));
        rig.Plane.Send("EDS a", Make.Endpoints("a", 81));
        Open("web", "table");

        rig.Plane.Send("CDS");
        rig.Plane.Send("LDS");

        Assert.Equal(["CDS", "LDS"], rig.Plane.Open);
        Assert.Empty(rig.Host.Open);
        Assert.Empty(rig.Resources.ReadStatus());
        Assert.Null(rig.Resources.FindCluster("a"));
    }

    private static int Order(string line) => line switch { "+CDS" => 0, "+LDS" => 1, _ => 2 };

    private void Warm(string cluster, params int[] ports)
    {
        rig.Plane.Send("CDS", Make.Eds(cluster));
        rig.Plane.Send("EDS " + cluster, Make.Endpoints(cluster, ports));
    }

    private void Open(string listener, string table)
    {
        if (!rig.Plane.Open.Contains("LDS"))
        {
            rig.Plane.Send("CDS");
        }
        rig.Plane.Send("LDS", Make.Rds(listener, 10, table));
        rig.Plane.Send("RDS " + table, Make.Routes(table, "echo"));
    }
}
