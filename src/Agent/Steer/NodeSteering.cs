using System;
using System.Collections.Generic;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Steer;

/// <summary>Steering by eBPF or iptables, whichever is chosen. Never disposed: rules that nobody removed are meant to stay, for they stop traffic that nobody judges.</summary>
/// <param name="wanted">As the operator said.</param>
/// <param name="choose">Makes the steering of a mode; gets the log.</param>
/// <param name="log">Gets one line per thing the operator should know.</param>
internal sealed class NodeSteering(SteeringMode wanted, Func<SteeringMode, Action<string>, ISteering> choose, Action<string> log) : INodeSteering
{
    private const string Prefix = "steering: ";

    private volatile ISteering? chosen;
    private volatile string reason = string.Empty;

    public string Mode => chosen?.Mode.ToString().ToLowerInvariant() ?? string.Empty;

    public string Reason => reason;

    public void Claim()
    {
        if (chosen is null)
        {
            // The last word of the choice is why.
            var why = string.Empty;
            var made = choose(wanted, line =>
            {
                why = line;
                log(line);
            });
            reason = wanted == SteeringMode.Auto ? "auto: " + (why.StartsWith(Prefix, StringComparison.Ordinal) ? why[Prefix.Length..] : why) : $"--steering {wanted.ToString().ToLowerInvariant()}";
            chosen = made;
        }
        chosen.Claim();
    }

    public void Replace(IReadOnlyList<SteeringRule> rules) => Claimed().Replace(rules);

    public void Remove() => chosen?.Remove();

    public IReadOnlyList<string> ReadDevices()
    {
        var names = new List<string>();
        if (chosen is EbpfSteering programs)
        {
            foreach (var device in programs.Attached)
            {
                names.Add(device.Name);
            }
            names.Sort(StringComparer.Ordinal);
        }
        return names;
    }

    public IReadOnlyDictionary<SteeringCounter, long>? ReadCounters() => (chosen as EbpfSteering)?.Counters;

    private ISteering Claimed() => chosen ?? throw new InvalidOperationException("rules come after the claim");
}
