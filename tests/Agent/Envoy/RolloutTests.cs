using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Google.Protobuf.WellKnownTypes;
using Postern.Agent.Envoy;
using Postern.Agent.Serve;
using Postern.Xds.Discovery;

namespace Postern.Tests.Agent.Envoy;

public sealed class RolloutTests : IAsyncDisposable
{
    private readonly FakeResourceServer server = new();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task First_GoesOutInOrder()
    {
        var result = await Make().ApplyAsync(Sets(("SDS", "s"), ("EDS", "e"), ("CDS", "c"), ("RDS", "r"), ("LDS", "l"), ("NPDS", "1"), ("NPHDS", "2")), default);
        Assert.Equal(["SDS s", "NPHDS 2", "NPDS 1", "EDS e", "CDS c", "RDS r", "wait CDS", "LDS l", "wait LDS", "wait NPDS"], server.Steps);
        Assert.True(result is { HasListeners: true, HasPolicies: true, Refusals.Count: 0 });
        Assert.Equal(ResourceType.All.Count, result.ByType.Count);
    }

    [Fact]
    public async Task WithoutListeners_PoliciesAreNotWaitedFor()
    {
        await Make().ApplyAsync(Sets(("NPDS", "1")), default);
        Assert.DoesNotContain("wait NPDS", server.Steps);
    }

    [Fact]
    public async Task WhatIsNamedNoMore_GoesAfterTheListenersAck()
    {
        var rollout = Make();
        await rollout.ApplyAsync(Sets(("CDS", "old"), ("SDS", "s"), ("LDS", "l:1")), default);
        server.Steps.Clear();
        await rollout.ApplyAsync(Sets(("CDS", "new"), ("LDS", "l:2")), default);
        Assert.Equal(["CDS new,old", "wait CDS", "LDS l:2", "wait LDS", "wait NPDS", "CDS new", "SDS "], server.Steps);
    }

    [Fact]
    public async Task RefusedListeners_GoBackToTheLastAccepted()
    {
        var rollout = Make();
        await rollout.ApplyAsync(Sets(("CDS", "old"), ("LDS", "good")), default);
        server.Answer = (type, names) => type == ResourceType.Listener && names == "bad" ? new AckResult(AckOutcome.Nacked, "no such filter") : null;
        var result = await rollout.ApplyAsync(Sets(("CDS", "new"), ("LDS", "bad")), default);
        Assert.False(result.HasListeners);
        Assert.Contains("no such filter", Assert.Single(result.Refusals));
        Assert.Equal("good", server.Names(ResourceType.Listener));
        Assert.Equal("new,old", server.Names(ResourceType.Cluster)); // the good listener may name the old one
        Assert.True((await rollout.ApplyAsync(Sets(("CDS", "new"), ("LDS", "mended")), default)).HasListeners);
        Assert.Equal("new", server.Names(ResourceType.Cluster));
    }

    [Fact]
    public async Task RefusedPolicies_GoBackToTheLastAcceptedAndNothingElseDoes()
    {
        var rollout = Make();
        await rollout.ApplyAsync(Sets(("NPDS", "1"), ("LDS", "l")), default);
        server.Answer = (type, names) => type == ResourceType.NetworkPolicy && names == "2" ? new AckResult(AckOutcome.Nacked, "bad rule") : null;
        var result = await rollout.ApplyAsync(Sets(("NPDS", "2"), ("LDS", "l2")), default);
        Assert.Equal(("1", "l2"), (server.Names(ResourceType.NetworkPolicy), server.Names(ResourceType.Listener)));
        Assert.Equal((false, true), (result.HasPolicies, result.HasListeners));
    }

    [Fact]
    public async Task RefusedFromTheStart_LeavesNothing()
    {
        server.Answer = (type, names) => type == ResourceType.NetworkPolicy && names.Length > 0 ? new AckResult(AckOutcome.Nacked, "no") : null;
        await Make().ApplyAsync(Sets(("NPDS", "1"), ("LDS", "l")), default);
        Assert.Equal("", server.Names(ResourceType.NetworkPolicy));
    }

    [Fact]
    public async Task NoAnswer_KeepsWhatWasPublished()
    {
        var rollout = Make();
        server.Answer = (_, _) => new AckResult(AckOutcome.TimedOut, "");
        var result = await rollout.ApplyAsync(Sets(("CDS", "c"), ("LDS", "l"), ("NPDS", "1")), default);
        Assert.Equal((false, false, 0), (result.HasListeners, result.HasPolicies, result.Refusals.Count));
        Assert.Equal(("c", "l", "1"), (server.Names(ResourceType.Cluster), server.Names(ResourceType.Listener), server.Names(ResourceType.NetworkPolicy)));
    }

    [Fact]
    public async Task AckThatCameLate_IsWhatARefusalGoesBackTo()
    {
        var rollout = Make();
        server.Answer = (_, _) => new AckResult(AckOutcome.TimedOut, "");
        await rollout.ApplyAsync(Sets(("LDS", "late")), default);
        server.Answer = (type, names) => names == "bad" ? new AckResult(AckOutcome.Nacked, "no") : null;
        await rollout.ApplyAsync(Sets(("LDS", "bad")), default);
        Assert.Equal("late", server.Names(ResourceType.Listener));
    }

    private Rollout Make() => new(server, new RolloutOptions { ConfigTimeout = TimeSpan.FromSeconds(1), PolicyTimeout = TimeSpan.FromSeconds(1) });

    private static Dictionary<ResourceType, IReadOnlyDictionary<string, Any>> Sets(params (string Type, string Names)[] sets) =>
        ResourceType.All.ToDictionary(
            type => type,
            type => (IReadOnlyDictionary<string, Any>)sets.Where(set => set.Type == type.ShortName).SelectMany(set => set.Names.Split(','))
                .ToDictionary(name => name, name => new Any { TypeUrl = type.TypeUrl }));
}
