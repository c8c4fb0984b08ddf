using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Net;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Filters;
using Postern.Filters.Listener;
using Postern.Filters.Network;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Proxy.Listeners;
using Postern.Proxy.Stats;
using Postern.Tests.Proxy.InMemory;
using Xunit.Abstractions;

namespace Postern.Tests.Proxy.Listeners;

/// <summary>After a change no connection is open that could not be opened anew, and what the change does not concern is not judged.</summary>
public sealed class PolicyReviewTests : IDisposable
{
    private readonly ConnectionRegistry registry = new(new Admission(20_000), ListenerStats.Unlisted());
    private readonly RecordList records = new();
    private readonly SwappedPolicy policy = new();
    private readonly PolicyReview review;

    private readonly ITestOutputHelper output;

    public PolicyReviewTests(ITestOutputHelper output)
    {
        this.output = output;
        review = new PolicyReview(() => [registry], NullLogger.Instance);
    }

    public void Dispose() => review.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task AnySequenceOfChanges_WhatIsOpenIsWhatAFreshVerdictAllows(int seed)
    {
        var random = new Random(seed);
        var open = new List<FakeConnection>();
        var (closed, kept) = (0, 0);
        policy.Current = RandomState(random);
        for (var round = 0; round < 60; round++)
        {
            for (var i = 0; i < 20; i++)
            {
                if (TryOpen(random) is { } connection)
                {
                    open.Add(connection);
                }
            }
            for (var changes = random.Next(4); changes > 0; changes--)
            {
                policy.Current = RandomState(random);
            }
            await review.WalkAsync();
            foreach (var connection in open)
            {
                Assert.True(connection.Revoked != connection.IsAllowedAnew(), $"seed {seed}, round {round}: {connection}");
            }
            closed += open.RemoveAll(c => c.Revoked);
            kept += open.Count;
        }
        Assert.True(closed > 50 && kept > 50, $"closed {closed}, kept {kept}: the changes do not try both");
        Assert.Equal(closed, records.Seen.Count);
        Assert.Equal(closed, (int)registry.Stats.ClosedByPolicy.Value);
        Assert.All(records.Seen, r => Assert.Equal("policy_changed", r.Fields["reason"]));
    }

    [Fact]
    public async Task TenThousandConnections_OnlyThoseOfTheEndpointThatChangedAreJudged()
    {
        var all = Enumerable.Range(0, 100).Select(n => Allowing($"10.0.1.{n}", 5)).ToList();
        var hosts = Hosts(("10.9.0.0/16", 5));
        policy.Current = new PolicyState(PolicySnapshot.Compile(all), hosts, "1");
        for (var i = 0; i < 10_000; i++)
        {
            Assert.NotNull(TryOpen($"10.9.{i / 250}.{i % 250}", $"10.0.1.{i % 100}"));
        }

        all[7] = Allowing("10.0.1.7", 6);
        policy.Current = policy.Current with { Policies = PolicySnapshot.Compile(all, policy.Current.Policies), Version = "2" };
        Assert.Equal(new ReviewCount(10_000, 100, 100), await review.WalkAsync());

        Assert.Equal(new ReviewCount(9_900, 0, 0), await review.WalkAsync());
        // Another map that says the same of everybody.
        policy.Current = policy.Current with { Hosts = Hosts(("10.9.0.0/16", 5), ("10.8.0.0/16", 6)) };
        Assert.Equal(new ReviewCount(9_900, 0, 0), await review.WalkAsync());
        // One client moves.
        policy.Current = policy.Current with { Hosts = Hosts(("10.9.0.0/16", 5), ("10.9.0.8/32", 6)) };
        Assert.Equal(new ReviewCount(9_900, 1, 1), await review.WalkAsync());
    }

    [Fact]
    public async Task PolicyChangesForOthers_AWalkOnlyCompares()
    {
        policy.Current = new PolicyState(PolicySnapshot.Compile([.. Enumerable.Range(0, 100).Select(n => Allowing($"10.0.1.{n}", 5))]), Hosts(("10.9.0.0/16", 5)), "1");
        for (var i = 0; i < 10_000; i++)
        {
            Assert.NotNull(TryOpen($"10.9.{i / 250}.{i % 250}", $"10.0.1.{i % 100}"));
        }
        var best = TimeSpan.MaxValue;
        for (var i = 0; i < 50; i++)
        {
            policy.Current = policy.Current with { Hosts = Hosts(("10.9.0.0/16", 5), ($"10.8.0.{i}/32", 6)) };
            var clock = Stopwatch.StartNew();
            var count = await Task.Run(async () => await review.WalkAsync());
            best = clock.Elapsed < best ? clock.Elapsed : best;
            Assert.Equal(new ReviewCount(10_000, 0, 0), count);
        }
        output.WriteLine($"the best walk: {best.TotalNanoseconds / 10_000} ns per connection, rules and identities looked up");
    }

    [Fact]
    public async Task ManyChanges_TheLoopEndsWithTheLast()
    {
        policy.Current = new PolicyState(PolicySnapshot.Compile([Allowing("10.0.1.1", 5)]), Hosts(("10.9.0.0/16", 5)), "1");
        var connection = TryOpen("10.9.0.1", "10.0.1.1")!;
        for (var i = 0; i < 1000; i++)
        {
            policy.Current = policy.Current with { Version = i.ToString(System.Globalization.CultureInfo.InvariantCulture) };
            review.OnPolicyChanged();
        }
        Assert.False(connection.Revoked);
        policy.Current = policy.Current with { Policies = PolicySnapshot.Empty };
        review.OnPolicyChanged();

        await connection.Closed.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void PolicyChangedBetweenVerdictAndRegistration_IsClosedAtOnce()
    {
        var before = new PolicyState(PolicySnapshot.Compile([Allowing("10.0.1.1", 5)]), Hosts(("10.9.0.0/16", 5)), "1");
        policy.Current = before;
        var metadata = Listener().Resolve(End("10.9.0.1", 4000), End("10.0.1.1", 80), "");
        var connection = new FakeConnection(new OpenVerdict(metadata, opaque: true, before, records, "test", registry.Stats), Listener(), metadata, true, registry);
        policy.Current = before with { Policies = PolicySnapshot.Empty, Version = "2" };

        registry.Add(connection);

        Assert.True(connection.Revoked);
    }

    [Fact]
    public async Task RuleWantsHttpNow_OpaqueConnectionIsClosedAndTheParsedOneStays()
    {
        policy.Current = new PolicyState(PolicySnapshot.Compile([Allowing("10.0.1.1", 5)]), Hosts(("10.9.0.0/16", 5)), "1");
        var opaque = TryOpen("10.9.0.1", "10.0.1.1", opaque: true)!;
        var parsed = TryOpen("10.9.0.2", "10.0.1.1", opaque: false)!;

        var http = new PortRuleConfig { Name = "http", RemotePolicies = [5], HttpRules = [new HttpRuleConfig([], [])] };
        policy.Current = policy.Current with { Policies = PolicySnapshot.Compile([Endpoint("10.0.1.1", http)]), Version = "2" };
        await review.WalkAsync();

        Assert.True(opaque.Revoked);
        Assert.False(parsed.Revoked);
        Assert.Contains("(no_http_rule_matched)", Assert.Single(records.Seen).Fields["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task DestinationsPolicyAppears_ItIsAskedToo()
    {
        policy.Current = new PolicyState(PolicySnapshot.Compile([Reaching("10.9.0.1", 7)]), Hosts(("10.9.0.0/16", 5), ("10.0.1.0/24", 7)), "1");
        var connection = TryOpen("10.9.0.1", "10.0.1.1", egress: true)!;

        policy.Current = policy.Current with { Policies = PolicySnapshot.Compile([Reaching("10.9.0.1", 7), Allowing("10.0.1.1", 6)]), Version = "2" };
        await review.WalkAsync();

        Assert.True(connection.Revoked);
        Assert.Equal("10.0.1.1", Assert.Single(records.Seen).Fields["policy"]);
    }

    private FakeConnection? TryOpen(Random random) =>
        TryOpen($"10.9.0.{random.Next(6)}", $"10.0.1.{random.Next(4)}", random.Next(2) == 0, random.Next(2) == 0);

    // As ConnectionPipeline does it.
    private FakeConnection? TryOpen(string client, string pod, bool opaque = true, bool egress = false)
    {
        var listener = Listener(egress);
        var state = policy.Current;
        var metadata = listener.Resolve(End(client, 4000), End(pod, 80), "");
        if (!CiliumNetwork.JudgeSides(metadata, opaque).Verdict.IsAllowed)
        {
            return null;
        }
        var connection = new FakeConnection(new OpenVerdict(metadata, opaque, state, records, "test", registry.Stats), listener, metadata, opaque, registry);
        registry.Add(connection);
        return connection;
    }

    private BpfMetadata Listener(bool egress = false) => new()
    {
        Direction = egress ? TrafficDirection.Egress : TrafficDirection.Ingress,
        ProxyId = 0,
        UseOriginalSourceAddress = false,
        MarkUpstream = false,
        IsOnlyDatapath = egress,
        Policy = policy,
    };

    private static PolicyState RandomState(Random random)
    {
        var resources = new List<NetworkPolicyConfig>();
        for (var i = 0; i < 4; i++)
        {
            var rule = new PortRuleConfig { Name = "r", RemotePolicies = Some(random), HttpRules = random.Next(4) == 0 ? [new HttpRuleConfig([], [])] : null };
            if (random.Next(5) != 0)
            {
                resources.Add(Endpoint($"10.0.1.{i}", rule));
            }
        }
        for (var i = 0; i < 6; i++)
        {
            resources.Add(Reaching($"10.9.0.{i}", [.. Some(random)]));
        }
        var hosts = new List<(string, uint)> { ("10.9.0.0/24", 5), ("10.0.1.0/24", 7) };
        for (var i = 0; i < 6; i++)
        {
            hosts.Add(($"10.9.0.{i}/32", (uint)random.Next(5, 8)));
        }
        return new PolicyState(PolicySnapshot.Compile(resources), Hosts([.. hosts]), random.Next().ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    private static EquatableList<uint> Some(Random random) => new uint[] { 5, 6, 7, 8 }.Where(_ => random.Next(4) != 0).Append(9u).ToEquatableList();

    private static NetworkPolicyConfig Allowing(string ip, uint identity) => Endpoint(ip, new PortRuleConfig { Name = "r", RemotePolicies = [identity] });

    private static NetworkPolicyConfig Endpoint(string ip, PortRuleConfig rule) =>
        new("of-" + ip, 7, [ip], [new PortNetworkPolicyConfig(80, 0, PolicyProtocol.Tcp, [rule])], []);

    private static NetworkPolicyConfig Reaching(string ip, params uint[] identities) =>
        new("of-" + ip, 7, [ip], [], [new PortNetworkPolicyConfig(80, 0, PolicyProtocol.Tcp, [new PortRuleConfig { Name = "e", RemotePolicies = identities.ToEquatableList() }])]);

    private static IdentityMap Hosts(params (string Prefix, uint Identity)[] hosts) =>
        IdentityMap.Compile([.. hosts.GroupBy(h => h.Identity).Select(g => new NetworkPolicyHostsConfig(g.Key, g.Select(h => h.Prefix).ToEquatableList()))]);

    private static IPEndPoint End(string address, int port) => new(IPAddress.Parse(address), port);

    private sealed class SwappedPolicy : IPolicySource, ISecretSource
    {
        private volatile PolicyState current = PolicyState.Empty;

        public PolicyState Current { get => current; set => current = value; }

        public ISecretSource Secrets => this;

        public string? FindGenericSecret(string name) => null;
    }

    private sealed class FakeConnection(OpenVerdict verdict, BpfMetadata listener, ConnectionMetadata accepted, bool opaque, ConnectionRegistry registry) : ITrackedConnection
    {
        private readonly TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public OpenVerdict? Verdict => verdict;

        public bool Revoked => closed.Task.IsCompleted;

        public Task Closed => closed.Task;

        public bool IsAllowedAnew() => CiliumNetwork.JudgeSides(listener.Resolve(accepted.Source, accepted.Destination, accepted.Sni), opaque).Verdict.IsAllowed;

        public bool Revoke(Action tell)
        {
            if (Revoked)
            {
                return false;
            }
            tell();
            registry.Remove(this);
            closed.SetResult();
            return true;
        }

        public void Sweep(long now)
        {
        }

        public void BeginDrain()
        {
        }

        public void AbortNow()
        {
        }

        public override string ToString() => $"{accepted.Direction} {accepted.Source} -> {accepted.Destination}, opaque {opaque}, revoked {Revoked}";
    }
}
