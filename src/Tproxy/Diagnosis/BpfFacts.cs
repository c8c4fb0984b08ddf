using System.Collections.Generic;
using Postern.Tproxy.Bpf;

namespace Postern.Tproxy.Diagnosis;

/// <summary>eBPF steering of one network namespace as the kernel has it. Immutable values; read by <see cref="BpfDiagnosis"/>.</summary>
public sealed record BpfFacts
{
    /// <summary>Where the pins are or would be.</summary>
    public string Folder { get; init; } = string.Empty;

    /// <summary>Maps that are pinned there; none: eBPF does not steer here.</summary>
    public IReadOnlyList<string> Maps { get; init; } = [];

    /// <summary>Maps that ought to be pinned there.</summary>
    public IReadOnlyList<string> MissingMaps { get; init; } = [];

    /// <summary>Per device.</summary>
    public IReadOnlyList<AttachedPrograms> Devices { get; init; } = [];

    /// <summary>Packets; empty if they cannot be read.</summary>
    public IReadOnlyDictionary<SteeringCounter, long> Counters { get; init; } = new Dictionary<SteeringCounter, long>();

    /// <summary>What could not be looked at, and why; one line each.</summary>
    public IReadOnlyList<string> Blind { get; init; } = [];
}

/// <summary>The programs of one device, in the order in which they run: tcx, then clsact, of which only ours is seen.</summary>
/// <param name="Index">Of the device.</param>
/// <param name="Ingress">Names.</param>
/// <param name="Egress">Names.</param>
/// <param name="IsRegistered">The guards take it for a device with the program.</param>
public sealed record AttachedPrograms(int Index, IReadOnlyList<string> Ingress, IReadOnlyList<string> Egress, bool IsRegistered);
