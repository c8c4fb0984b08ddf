using System;
using System.Collections.Generic;
using System.Linq;
using Postern.Policy;
using Postern.Policy.Config;

namespace Postern.Tests.Policy;

/// <summary>A snapshot that was changed step by step is the one that a full compilation gives.</summary>
public sealed class IncrementalTests
{
    private static readonly UpdateOrigin Origin = new("7", UpdateStream.Old);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void RandomSteps_GiveWhatAFullCompilationGives(int seed)
    {
        var random = new Random(seed);
        var wanted = new Dictionary<string, NetworkPolicyConfig>();
        var snapshot = PolicySnapshot.Empty;
        for (var step = 0; step < 100; step++)
        {
            var upserts = new List<NetworkPolicyConfig>();
            var removed = new List<string>();
            for (var i = random.Next(6); i > 0; i--)
            {
                var id = (ulong)random.Next(1, 40);
                var name = id.ToString();
                if (random.Next(3) == 0)
                {
                    removed.Add(name);
                }
                else if (!upserts.Exists(u => u.Name == name))
                {
                    upserts.Add(Policy(id, $"10.{random.Next(3)}.0.{id}", (uint)random.Next(5), random.Next(4) == 0 ? "s" + random.Next(3) : ""));
                }
            }
            foreach (var name in removed)
            {
                wanted.Remove(name);
            }
            foreach (var upsert in upserts)
            {
                wanted[upsert.Name] = upsert;
            }
            var full = wanted.Values.OrderBy(_ => random.Next()).ToList();
            snapshot = random.Next(2) == 0 ? snapshot.With(upserts, removed, Origin) : PolicySnapshot.Compile(full, snapshot, Origin);
            AssertSame(PolicySnapshot.Compile(full), snapshot);
        }
    }

    [Fact]
    public void OneChangedOfMany_TheOthersKeepTheirObjects()
    {
        var resources = Enumerable.Range(1, 1000).Select(i => Policy((ulong)i, $"10.0.{i / 250}.{i % 250}", 1)).ToList();
        var before = PolicySnapshot.Compile(resources);
        resources[500] = Policy(501, "10.0.2.1", 2);
        resources.Reverse();

        var after = PolicySnapshot.Compile(resources, before);

        Assert.Equal(999, before.Endpoints.Count(e => ReferenceEquals(e, after.FindEndpoint(e.Config.EndpointIps[0]))));
        Assert.Equal(2u, after.FindEndpoint("10.0.2.1")!.Config.Ingress[0].Rules[0].RemotePolicies[0]);
    }

    [Fact]
    public void AddressTakenByAnotherWithinOneUpdate_IsFine()
    {
        var before = PolicySnapshot.Compile([Policy(1, "10.0.0.1", 1), Policy(2, "10.0.0.2", 1)]);

        var after = PolicySnapshot.Compile([Policy(1, "10.0.0.2", 1), Policy(2, "10.0.0.1", 1)], before);

        Assert.Equal((2u, 1u), (after.FindEndpoint("10.0.0.1")!.EndpointId, after.FindEndpoint("10.0.0.2")!.EndpointId));
    }

    [Fact]
    public void DeltaTakesTheAddressOfAKeptOne_IsRefusedAndNothingChanges()
    {
        var before = PolicySnapshot.Compile([Policy(1, "10.0.0.1", 1)]);

        var error = Assert.Throws<PolicyConfigException>(() => before.With([Policy(2, "10.0.0.1", 1)], [], Origin));

        Assert.Contains("update for version 7 has duplicate resource key '10.0.0.1' on an old stream: incoming policy resource '2'", error.Message, StringComparison.Ordinal);
        Assert.Equal(1u, before.FindEndpoint("10.0.0.1")!.EndpointId);
    }

    [Fact]
    public void DeltaRemovesAnAddress_IsRefused()
    {
        var before = PolicySnapshot.Compile([Policy(1, "10.0.0.1", 1)]);

        var error = Assert.Throws<PolicyConfigException>(() => before.With([], ["10.0.0.1"], Origin));

        Assert.Contains("'10.0.0.1' is a policy endpoint IP alias", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DeltaNamesOneTwice_IsRefused() =>
        Assert.Throws<PolicyConfigException>(() => PolicySnapshot.Empty.With([Policy(1, "10.0.0.1", 1), Policy(1, "10.0.0.2", 1)], [], Origin));

    [Fact]
    public void ManyChangesInARow_DoNotKeepWhatIsGone()
    {
        var snapshot = PolicySnapshot.Compile([Policy(1, "10.0.0.1", 0)]);
        var first = new WeakReference(null);
        Remember(snapshot, first);

        for (uint i = 1; i < 200; i++)
        {
            snapshot = PolicySnapshot.Compile([Policy(1, "10.0.0.1", i)], snapshot);
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.False(first.IsAlive);
        GC.KeepAlive(snapshot);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void Remember(PolicySnapshot snapshot, WeakReference into) => into.Target = snapshot.FindEndpoint("10.0.0.1")!.FindPort(TrafficDirection.Ingress, 80);

    private static void AssertSame(PolicySnapshot expected, PolicySnapshot actual)
    {
        Assert.Equal(expected.Resources.OrderBy(r => r.Name), actual.Resources.OrderBy(r => r.Name));
        Assert.Equal(expected.SecretNames.Order(), actual.SecretNames.Order());
        foreach (var resource in expected.Resources)
        {
            Assert.Equal(resource, actual.FindEndpoint(resource.EndpointIps[0])!.Config);
            Assert.Null(actual.FindEndpoint(resource.Name));
        }
        Assert.Equal(expected.Resources.Count, actual.Endpoints.Count);
        for (var i = 0; i < actual.Endpoints.Count; i++)
        {
            Assert.Equal(actual.Resources[i], actual.Endpoints[i].Config);
        }
        for (var net = 0; net < 3; net++)
        {
            for (var id = 1; id < 40; id++)
            {
                Assert.Equal(expected.FindEndpoint($"10.{net}.0.{id}")?.Name, actual.FindEndpoint($"10.{net}.0.{id}")?.Name);
            }
        }
    }

    private static NetworkPolicyConfig Policy(ulong id, string address, uint remote, string secret = "") => new(
        id.ToString(),
        id,
        [address],
        [new PortNetworkPolicyConfig(80, 0, PolicyProtocol.Tcp, [new PortRuleConfig { RemotePolicies = [remote], HttpRules = secret.Length == 0 ? null : [new HttpRuleConfig([], [new HeaderMatchConfig("x", "", MatchAction.ContinueOnMatch, MismatchAction.FailOnMismatch, secret)])] }])],
        []);
}
