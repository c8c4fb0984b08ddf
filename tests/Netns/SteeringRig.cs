using System;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.IO;
using System.Linq;
using Postern.Netns.Fixture;
using Postern.Tests.Netns.Steering;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Netns;

/// <summary>Steering of one namespace, by either mode, with a lock folder, a BPF file system and a log of its own.</summary>
internal sealed class SteeringRig(NetworkNamespace node, SteeringMode mode = SteeringMode.Iptables) : IDisposable
{
    private readonly string _locks = Path.Combine(Path.GetTempPath(), "pst-locks-" + Guid.NewGuid().ToString("N"));
    private readonly BpfMount? _bpf = mode == SteeringMode.Ebpf ? new BpfMount() : null;
    private ISteering? _steering;

    internal ConcurrentQueue<string> Log { get; } = new();

    /// <summary>Puts rules in force, as the agent does.</summary>
    internal void Steer(params string[] rules) => Steer(SteeringOptions.Default, rules);

    /// <summary>As above; the options of the first call hold until <see cref="Crash"/>.</summary>
    internal void Steer(SteeringOptions options, params string[] rules) => node.Inside(() =>
    {
        _steering ??= Choose(options);
        _steering.Claim();
        _steering.Replace(rules.Select(SteeringRule.Parse).ToList());
    });

    /// <summary>Another owner for the same namespace.</summary>
    internal ISteering Choose(SteeringOptions options) => SteeringSelector.Choose(mode, Here(options), Log.Enqueue);

    /// <summary>iptables only: as <c>postern run --steer</c> does.</summary>
    internal void Install(params string[] rules) => Install(SteeringOptions.Default, rules);

    internal void Install(SteeringOptions options, params string[] rules) => node.Inside(() =>
    {
        var steering = (IptablesSteering)(_steering ??= Make(options, rules));
        steering.Install();
    });

    internal void Claim() => node.Inside(() =>
    {
        _steering ??= Choose(SteeringOptions.Default);
        _steering.Claim();
    });

    internal void Replace(params string[] rules) => node.Inside(() =>
    {
        _steering ??= Choose(SteeringOptions.Default);
        _steering.Replace(rules.Select(SteeringRule.Parse).ToList());
    });

    internal IptablesSteering Make(SteeringOptions options, params string[] rules) =>
        new(rules.Select(SteeringRule.Parse).ToList(), Here(options), Log.Enqueue);

    internal void Remove() => node.Inside(() => _steering!.Remove());

    /// <summary>As a killed process: the rules stay, the lock is free.</summary>
    internal void Crash()
    {
        if (_steering is EbpfSteering ebpf)
        {
            node.Inside(ebpf.Abandon);
        }

        // The kernel frees the lock with the process; a file that is gone frees it for this one's successors.
        foreach (var held in Directory.GetFiles(_locks, "*.lock"))
        {
            File.Delete(held);
        }

        _steering = null;
    }

    /// <summary>Another process that owns the lock, by flock(1). Loses it when killed.</summary>
    internal Process HoldLockElsewhere()
    {
        Directory.CreateDirectory(_locks);
        var name = node.Inside(() => new FileInfo("/proc/thread-self/ns/net").LinkTarget!)[5..^1];
        var path = Path.Combine(_locks, $"steering-{name}.lock");
        var holder = node.Start("flock", "-o", path, "sleep", "60");
        Wait.Until(() => node.Run("flock", "-n", path, "true").ExitCode != 0, () => "flock(1) does not hold " + path);
        return holder;
    }

    internal bool RemoveLeftovers() =>
        node.Inside(() => IptablesSteering.RemoveLeftovers(Here(SteeringOptions.Default), Log.Enqueue));

    /// <summary>All rules of both IP versions, ip rules and table 2004, without counters and dates.</summary>
    internal string State()
    {
        string Of(string command, params string[] arguments) => node.Run(command, arguments).Output;
        var text = Of("iptables-save") + Of("ip6tables-save") + Of("ip", "-4", "rule") + Of("ip", "-6", "rule")
            + Of("ip", "-4", "route", "show", "table", "2004") + Of("ip", "-6", "route", "show", "table", "2004");
        return string.Join('\n', text.Split('\n').Where(line => !line.StartsWith('#')).Select(line => line.Split(" [")[0]));
    }

    public void Dispose()
    {
        if (_steering is not null)
        {
            node.Inside(_steering.Dispose);
        }

        _bpf?.Dispose();
        if (Directory.Exists(_locks))
        {
            Directory.Delete(_locks, recursive: true);
        }
    }

    private SteeringOptions Here(SteeringOptions options) =>
        _bpf is null ? options with { LockDirectory = _locks } : options with { LockDirectory = _locks, BpfRoot = _bpf.Folder };
}
