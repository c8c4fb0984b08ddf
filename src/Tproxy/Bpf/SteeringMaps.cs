using System;

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

    public void Dispose()
    {
        foreach (var map in (ReadOnlySpan<BpfMap>)[State, Filters, Rules, Prefixes4, Prefixes6, Flows, Devices, Counters])
        {
            map.Dispose();
        }
    }
}
