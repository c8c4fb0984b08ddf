using System;
using System.Collections.Generic;

namespace Postern.Tproxy.Bpf;

/// <summary>The maps of the steering program, loaded or adopted; see native/steering.h for their contents. Owns their descriptors.</summary>
internal sealed class SteeringMaps : IDisposable
{
    /// <summary>Names in the object file, and of the pins.</summary>
    internal static readonly string[] Names = ["state", "filters", "rules", "prefixes4", "prefixes6", "flows", "devices", "counters"];

    internal required BpfMap State { get; init; }

    internal required BpfMap Filters { get; init; }

    internal required BpfMap Rules { get; init; }

    internal required BpfMap Prefixes4 { get; init; }

    internal required BpfMap Prefixes6 { get; init; }

    internal required BpfMap Flows { get; init; }

    internal required BpfMap Devices { get; init; }

    internal required BpfMap Counters { get; init; }

    /// <summary>Bytes of an element of <see cref="Counters"/>: 8 for each CPU that the kernel could have.</summary>
    internal static int CounterSize => sizeof(long) * Libbpf.PossibleCpus();

    /// <summary>In the order of <see cref="Names"/>.</summary>
    internal BpfMap[] All => [State, Filters, Rules, Prefixes4, Prefixes6, Flows, Devices, Counters];

    /// <param name="descriptor">Gives the descriptor of each name, which is taken over; what it throws goes on after those before are closed.</param>
    internal static SteeringMaps Open(Func<string, int> descriptor)
    {
        var opened = new List<BpfMap>(Names.Length);
        try
        {
            foreach (var name in Names)
            {
                var (key, value) = Sizes(name);
                opened.Add(new BpfMap(descriptor(name), name, key, value));
            }
        }
        catch
        {
            opened.ForEach(map => map.Dispose());
            throw;
        }

        return new SteeringMaps
        {
            State = opened[0],
            Filters = opened[1],
            Rules = opened[2],
            Prefixes4 = opened[3],
            Prefixes6 = opened[4],
            Flows = opened[5],
            Devices = opened[6],
            Counters = opened[7],
        };
    }

    public void Dispose()
    {
        foreach (var map in All)
        {
            map.Dispose();
        }
    }

    // An element of a map of maps is written as the inner map's descriptor.
    private static (int Key, int Value) Sizes(string name) => name switch
    {
        "state" => (4, SteeringLayout.StateSize),
        "filters" => (4, SteeringLayout.FilterSize),
        "flows" => (SteeringLayout.FlowSize, SteeringLayout.MemorySize),
        "counters" => (4, CounterSize),
        _ => (4, 4),
    };
}
