using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Net;
using System.Threading;
using Postern.Netns.Fixture;
using Postern.Tproxy;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;
using Xunit.Abstractions;

namespace Postern.Tests.Netns.Bpf;

/// <summary>Sets of rules in maps of the kernel, without the program that reads them.</summary>
public sealed class SteeringSetTests(ITestOutputHelper output) : IDisposable
{
    private readonly SteeringMapsRig rig = new();

    public void Dispose() => rig.Dispose();

    [NetnsFact]
    public void WrittenSet_IsReadBackEntryByEntry()
    {
        var set = Compile("to=10.1.0.0/16,port=80-90,proxy-port=1", "from=10.1.2.3/32,port=443,proxy-port=2", "to=fd00::/8,from=fd00::1/128,port=1-65535,proxy-port=3");
        SteeringSet.Write(rig.Maps, set);

        Assert.Equal(1u, rig.State.Generation);
        Assert.Equal(set.Filter, rig.Filter(1));
        AssertHolds(set, 1);
        Assert.NotEmpty(set.Prefixes4);
        Assert.NotEmpty(set.Prefixes6);
    }

    [NetnsFact]
    public void NextSet_TakesTheOtherHalfAndFreesTheFirst()
    {
        rig.State = (uint.MaxValue - 1, SteeringLayout.StateKeepOlder);
        var first = Compile("to=10.1.0.0/16,port=80,proxy-port=1", "to=fd00::/8,port=80,proxy-port=1");
        var second = Compile("to=10.1.0.1/32,port=81,proxy-port=1");

        SteeringSet.Write(rig.Maps, first);
        Assert.Equal((uint.MaxValue, SteeringLayout.StateKeepOlder), rig.State);
        AssertHolds(first, 1);

        SteeringSet.Write(rig.Maps, second); // the generation wraps
        Assert.Equal((0u, SteeringLayout.StateKeepOlder), rig.State);
        AssertHolds(second, 0);
        foreach (var outer in new[] { rig.Maps.Rules, rig.Maps.Prefixes4, rig.Maps.Prefixes6 })
        {
            using var left = SteeringMapsRig.Inner(outer, 1, SteeringLayout.KeySize);
            Assert.Null(left);
        }
    }

    [NetnsFact]
    public void EmptySet_IsASetAsWell()
    {
        SteeringSet.Write(rig.Maps, Compile("to=10.1.0.0/16,port=80,proxy-port=1"));
        SteeringSet.Write(rig.Maps, Compile());

        Assert.Equal(2u, rig.State.Generation);
        Assert.All(rig.Filter(0), one => Assert.Equal(0, one));
        Assert.Empty(SteeringMapsRig.Read(rig.Maps.Rules, 0, SteeringLayout.KeySize)!);
    }

    /// <summary>A writer that died half-way left a net in the half that is now written without one.</summary>
    [NetnsFact]
    public void LeftoversOfAWriterThatDied_AreGone()
    {
        SteeringSet.Write(rig.Maps, Compile("to=10.1.0.0/16,port=80,proxy-port=1"));
        rig.State = (0, 0);
        var set = Compile("to=10.1.0.1/32,port=80,proxy-port=1");

        SteeringSet.Write(rig.Maps, set);

        AssertHolds(set, 1);
    }

    [NetnsTheory]
    [InlineData("rule key")]
    [InlineData("prefix key")]
    [InlineData("filter")]
    public void FailureBeforeTheFlip_LeavesTheSetInForce(string broken)
    {
        var good = Compile("to=10.1.0.0/16,port=80,proxy-port=1", "to=10.1.0.1/32,port=81,proxy-port=1");
        SteeringSet.Write(rig.Maps, good);
        KeyValuePair<byte[], byte[]>[] bad = [new(new byte[3], new byte[SteeringLayout.ValueSize])];
        var next = broken switch
        {
            "rule key" => good with { Rules = [.. good.Rules, .. bad] },
            "prefix key" => good with { Prefixes6 = bad },
            _ => good with { Filter = new byte[5] },
        };

        Assert.Throws<ArgumentException>(() => SteeringSet.Write(rig.Maps, next));

        Assert.Equal(1u, rig.State.Generation);
        Assert.Equal(good.Filter, rig.Filter(1));
        AssertHolds(good, 1);
        SteeringSet.Write(rig.Maps, good);
        AssertHolds(good, 0);
    }

    [NetnsFact]
    public void KernelRefusesAnEntry_LeavesTheSetInForce()
    {
        var good = Compile("to=10.1.0.0/16,port=80,proxy-port=1");
        SteeringSet.Write(rig.Maps, good);
        var tooLong = new byte[SteeringLayout.Prefix4Size];
        tooLong[0] = 33; // EINVAL of the trie

        var error = Assert.Throws<TproxyException>(() => SteeringSet.Write(rig.Maps, good with { Prefixes4 = [new(tooLong, new byte[SteeringLayout.ValueSize])] }));

        Assert.Contains("prefixes4", error.Message, StringComparison.Ordinal);
        Assert.Equal(1u, rig.State.Generation);
        AssertHolds(good, 1);
    }

    /// <summary>A reader in user space cannot hold writers up, so it asks for the generation again: what it read between two equal answers was in force.</summary>
    [NetnsFact]
    public void ReaderBesideAWriter_AlwaysFindsAWholeSet()
    {
        var sets = new[] { Compile(Many(1, 200)), Compile([.. Many(2, 300), "to=10.9.0.0/16,port=80,proxy-port=2"]) };
        SteeringSet.Write(rig.Maps, sets[1]); // generation 1
        var wanted = sets.Select(set => Sorted(set.Rules)).ToArray();
        var faults = new List<string>();
        var reads = 0;
        var done = 0;
        var reader = new Thread(() =>
        {
            while (Volatile.Read(ref done) == 0)
            {
                var before = rig.State.Generation;
                var half = (int)(before & 1);
                var rules = SteeringMapsRig.Read(rig.Maps.Rules, half, SteeringLayout.KeySize);
                var filter = rig.Filter(half);
                if (rig.State.Generation != before)
                {
                    continue;
                }

                reads++;
                if (rules is null || !rules.SequenceEqual(wanted[half]) || !filter.AsSpan().SequenceEqual(sets[half].Filter))
                {
                    faults.Add($"generation {before}: {rules?.Count.ToString() ?? "no"} rules instead of {wanted[half].Count}");
                }
            }
        });
        reader.Start();
        for (var i = 2; i < 14; i++)
        {
            SteeringSet.Write(rig.Maps, sets[i & 1]);
        }

        Volatile.Write(ref done, 1);
        reader.Join();
        Assert.Empty(faults);
        Assert.True(reads > 12, $"only {reads} reads");
    }

    [NetnsFact]
    public void TenThousandRules_AreWrittenWithinASecond()
    {
        foreach (var count in new[] { 10, 1_000, 10_000 })
        {
            for (var round = 0; round < 3; round++)
            {
                var started = Stopwatch.GetTimestamp();
                var set = Compile(Many(1, count));
                var compiled = Stopwatch.GetTimestamp();
                SteeringSet.Write(rig.Maps, set);
                var took = Stopwatch.GetElapsedTime(compiled);
                output.WriteLine($"{count} rules: read and compiled in {Stopwatch.GetElapsedTime(started, compiled).TotalMilliseconds:F1} ms, written in {took.TotalMilliseconds:F1} ms");
                Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(1));
                Assert.Equal(count * 2, SteeringMapsRig.Read(rig.Maps.Rules, (int)(rig.State.Generation & 1), SteeringLayout.KeySize)!.Count);
            }
        }
    }

    private void AssertHolds(CompiledSteering set, int half)
    {
        Assert.Equal(Sorted(set.Rules), SteeringMapsRig.Read(rig.Maps.Rules, half, SteeringLayout.KeySize)!);
        Assert.Equal(Sorted(set.Prefixes4), SteeringMapsRig.Read(rig.Maps.Prefixes4, half, SteeringLayout.Prefix4Size) ?? []);
        Assert.Equal(Sorted(set.Prefixes6), SteeringMapsRig.Read(rig.Maps.Prefixes6, half, SteeringLayout.Prefix6Size) ?? []);
    }

    private static string[] Many(int proxyPort, int count) =>
        [.. Enumerable.Range(0, count).Select(i => $"to=10.0.{i >> 8}.{i & 255}/32,port=80,proxy-port={proxyPort}")];

    private static CompiledSteering Compile(params string[] rules) => SteeringCompiler.Compile([.. rules.Select(SteeringRule.Parse)], [], _ => []);

    private static SortedDictionary<string, string> Sorted(IEnumerable<KeyValuePair<byte[], byte[]>> entries) =>
        new(entries.ToDictionary(entry => Convert.ToHexString(entry.Key), entry => Convert.ToHexString(entry.Value)), StringComparer.Ordinal);
}
