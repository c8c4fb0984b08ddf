using System;
using System.Diagnostics;
using System.Linq;
using Postern.Policy;
using Postern.Policy.Config;

namespace Postern.Bench.Verdict;

/// <summary>
/// 5,000 endpoints. Each has one ingress port with the given number of rules, every rule for one identity, in one of 16 variants of rule
/// list (different paths, other order), and an egress port of its own. Half of the calls come with an identity that no rule names.
/// </summary>
internal sealed class World
{
    public const int Endpoints = 5_000;
    private const int Variants = 16;

    private readonly NetworkPolicyConfig[] resources;
    private readonly string[] addresses;
    private readonly int size;
    private readonly NoSecrets secrets = new();
    private readonly HeaderMatchLog log = new();
    private readonly BenchRequest request = new();
    private PolicySnapshot snapshot;

    public World(int size)
    {
        this.size = size;
        var lists = Enumerable.Range(0, Variants).Select(variant => Rules(variant, size)).ToArray();
        resources = new NetworkPolicyConfig[Endpoints];
        addresses = new string[Endpoints];
        for (var i = 0; i < Endpoints; i++)
        {
            addresses[i] = $"10.{i / 65536}.{(i / 256) % 256}.{i % 256}";
            resources[i] = new NetworkPolicyConfig($"{i + 1}", (ulong)i + 1, [addresses[i]], lists[i % Variants], [Entry((uint)(1000 + (i % 500)), [])]);
        }
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var watch = Stopwatch.GetTimestamp();
        snapshot = PolicySnapshot.Compile(resources);
        CompileMilliseconds = Stopwatch.GetElapsedTime(watch).TotalMilliseconds;
        Megabytes = (GC.GetTotalMemory(forceFullCollection: true) - before) / 1048576.0;
    }

    public double CompileMilliseconds { get; }

    public double Megabytes { get; }

    public int Run(int calls)
    {
        var allowed = 0;
        var state = 0x9E3779B97F4A7C15UL;
        for (var i = 0; i < calls; i++)
        {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            var endpoint = snapshot.FindEndpoint(addresses[(state & 0xFFFFFFFF) % Endpoints])!;
            var remote = (uint)((state >> 33) % (ulong)size) + 1000u;
            if ((state >> 32 & 1) == 0)
            {
                remote += 10_000_000;
            }
            var port = endpoint.FindPort(TrafficDirection.Ingress, 8080);
            if (port.EvaluateNetwork(remote, default, 0).IsAllowed && port.EvaluateHttp(remote, 0, request, secrets, log).IsAllowed)
            {
                allowed++;
            }
        }
        return allowed;
    }

    public double AllocatedPerCall(int calls)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(calls);
        return (GC.GetAllocatedBytesForCurrentThread() - before) / (double)calls;
    }

    /// <summary>Median time to compile the whole set after one endpoint got another rule list of ordinary size.</summary>
    public double UpdateMilliseconds()
    {
        var times = new double[5];
        for (var i = 0; i < times.Length; i++)
        {
            var changed = (NetworkPolicyConfig[])resources.Clone();
            changed[i] = changed[i] with { Ingress = Rules(100 + i, 50) };
            var watch = Stopwatch.GetTimestamp();
            snapshot = PolicySnapshot.Compile(changed, snapshot);
            times[i] = Stopwatch.GetElapsedTime(watch).TotalMilliseconds;
        }
        Array.Sort(times);
        return times[times.Length / 2];
    }

    private static EquatableList<PortNetworkPolicyConfig> Rules(int variant, int size)
    {
        var http = Enumerable.Range(0, 4).Select(i => new PortRuleConfig { HttpRules = [Http("GET", $"/v{variant}/item{i}/.*"), Http("GET|HEAD", $"/health{i}"), Http("POST", "/api/[a-z]+/[0-9]+")] }).ToArray();
        return [Entry(8080, Enumerable.Range(0, size).Select(i => http[(i * 7 + variant) % 4] with { RemotePolicies = [(uint)(1000 + i)] }).ToEquatableList())];
    }

    private static PortNetworkPolicyConfig Entry(uint port, EquatableList<PortRuleConfig> rules) => new(port, 0, PolicyProtocol.Tcp, rules);

    private static HttpRuleConfig Http(string method, string path) => new([Regex(":method", method), Regex(":path", path)], []);

    private static HeaderMatcherConfig Regex(string name, string pattern) =>
        new(name, new StringHeaderMatch(new StringMatcherConfig(StringMatchKind.SafeRegex, pattern, false)), false, false);
}
