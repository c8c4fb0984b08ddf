using System;
using System.Linq;
using Postern.Policy;
using static Postern.Tests.Policy.Make;

namespace Postern.Tests.Policy;

public sealed class SharingTests
{
    [Fact]
    public void UnchangedResource_KeepsItsCompiledObject()
    {
        var first = Snapshot(Endpoint("1", "10.0.0.1", Port(80, Allow(1))), Endpoint("2", "10.0.0.2", Port(80, Allow(2))));
        var second = PolicySnapshot.Compile([Endpoint("1", "10.0.0.1", Port(80, Allow(1))), Endpoint("2", "10.0.0.2", Port(80, Allow(3)))], first);
        Assert.Same(first.FindEndpoint("10.0.0.1"), second.FindEndpoint("10.0.0.1"));
        Assert.NotSame(first.FindEndpoint("10.0.0.2"), second.FindEndpoint("10.0.0.2"));
        Assert.True(second.FindEndpoint("10.0.0.2")!.FindPort(TrafficDirection.Ingress, 80).Net(3).IsAllowed);
    }

    [Fact]
    public void EqualRuleLists_ShareOnePortPolicyAcrossEndpointsPortsAndUpdates()
    {
        var rule = Allow(1).WithHttp(Http(Path("/a")));
        var first = Snapshot(Endpoint("1", "10.0.0.1", Port(80, rule)), Endpoint("2", "10.0.0.2", Port(81, rule)));
        var a = first.FindEndpoint("10.0.0.1")!.FindPort(TrafficDirection.Ingress, 80);
        Assert.Same(a, first.FindEndpoint("10.0.0.2")!.FindPort(TrafficDirection.Ingress, 81));
        var second = PolicySnapshot.Compile([Endpoint("3", "10.0.0.3", Port(99, Allow(1).WithHttp(Http(Path("/a")))))], first);
        Assert.Same(a, second.FindEndpoint("10.0.0.3")!.FindPort(TrafficDirection.Ingress, 99));
    }

    [Fact]
    public void EqualIdentities_ShareOneTable()
    {
        var endpoint = Snapshot(Endpoint(Port(80, Allow(1, 2, 3)), Port(81, Allow(1, 2, 3) with { Precedence = 4 }))).FindEndpoint(Ip)!;
        Assert.Same(endpoint.FindPort(TrafficDirection.Ingress, 80).Identities, endpoint.FindPort(TrafficDirection.Ingress, 81).Identities);
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(1, 3)]
    [InlineData(97, 3)]
    [InlineData(5000, 3)]
    [InlineData(5000, 4000)]
    public void IdentityTable_FindsExactlyItsEntries(int count, int classes)
    {
        var random = new Random(count + classes);
        var expected = new System.Collections.Generic.Dictionary<uint, int> { [0] = 1 };
        while (expected.Count < count + 1)
        {
            expected[(uint)random.NextInt64(uint.MaxValue + 1L)] = random.Next(classes);
        }
        var table = new Postern.Policy.Compile.IdentityTable([.. expected]);
        foreach (var (identity, @class) in expected)
        {
            Assert.Equal(@class, table.Find(identity));
            Assert.Equal(expected.TryGetValue(identity + 1, out var next) ? next : -1, table.Find(identity + 1));
        }
    }

    [Fact]
    public void RemovedResource_Disappears()
    {
        var first = Snapshot(Endpoint("1", "10.0.0.1", Port(80)));
        Assert.Null(PolicySnapshot.Compile([], first).FindEndpoint("10.0.0.1"));
        Assert.NotNull(first.FindEndpoint("10.0.0.1"));
    }

    [Fact]
    public void Verdicts_AllocateNothing()
    {
        var rules = Enumerable.Range(1, 50).Select(i => Allow((uint)i).WithHttp(
            Http(Header(":path", Postern.Policy.Config.StringMatchKind.SafeRegex, $"/v[0-9]+/item{i}/[a-z]+"), Header("x-a", Postern.Policy.Config.StringMatchKind.Prefix, "v")),
            Http(Path("/z")))).ToArray();
        var port = Rules(rules);
        var request = new TestRequest("/v12/item7/abc").With("X-A", "v1").With("x-a", "v2");
        var log = new HeaderMatchLog();
        Assert.True(port.Request(7, request, log).IsAllowed);
        for (var i = 0; i < 100; i++)
        {
            port.Request(7, request, log);
        }
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            _ = port.Net(7).IsAllowed && port.Request(7, request, log).IsAllowed;
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
