using System;
using System.Collections.Generic;
using Postern.Agent.Steer;
using Postern.Tproxy;

namespace Postern.Agent.Api;

/// <summary><c>GET /v1/steering/counters</c>.</summary>
public sealed record SteeringCountersView
{
    /// <summary>ebpf, iptables or none.</summary>
    public string Mode { get; init; } = string.Empty;

    /// <summary>In the order of the numbers; empty where <see cref="Note"/> says why.</summary>
    public IReadOnlyList<SteeringCounterView> Counters { get; init; } = [];

    /// <summary>Where else to look, or why they cannot be read; empty otherwise.</summary>
    public string Note { get; init; } = string.Empty;

    /// <summary>Reads them now.</summary>
    public static SteeringCountersView Of(ISteeringInsight steering)
    {
        ArgumentNullException.ThrowIfNull(steering);
        var view = new SteeringCountersView { Mode = steering.Mode };
        try
        {
            if (steering.ReadCounters() is not { Count: > 0 } counters)
            {
                return view with { Note = Elsewhere(steering.Mode) };
            }
            var list = new List<SteeringCounterView>();
            foreach (var (counter, packets) in counters)
            {
                list.Add(new SteeringCounterView(counter.ToString(), packets, CounterMeaning.Of(counter).ToString()));
            }
            return view with { Counters = list };
        }
        catch (TproxyException error)
        {
            return view with { Note = error.Message };
        }
    }

    private static string Elsewhere(string mode) => mode switch
    {
        "iptables" => "the kernel counts by rule: iptables -t mangle -nvL POSTERN_PRE_mangle, and the same with ip6tables",
        "ebpf" => "no program is loaded",
        _ => "this agent does not steer",
    };
}

/// <summary>One counter.</summary>
/// <param name="Name">Stable.</param>
/// <param name="Packets">Since the maps were made; they outlive an agent.</param>
/// <param name="Meaning">For people.</param>
public sealed record SteeringCounterView(string Name, long Packets, string Meaning);
