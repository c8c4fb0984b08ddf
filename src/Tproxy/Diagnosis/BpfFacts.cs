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
    public IReadOnlyList<DevicePrograms> Devices { get; init; } = [];

    /// <summary>Packets; empty if they cannot be read.</summary>
    public IReadOnlyDictionary<SteeringCounter, long> Counters { get; init; } = new Dictionary<SteeringCounter, long>();

    /// <summary>What could not be looked at, and why; one line each.</summary>
    public IReadOnlyList<string> Blind { get; init; } = [];
}

/// <summary>The programs of one device, in the order in which they run.</summary>
/// <param name="Index">Of the device.</param>
/// <param name="Ingress">Names in its tcx ingress chain.</param>
/// <param name="Egress">Names in its tcx egress chain.</param>
/// <param name="IsRegistered">The guard takes it for a device with the program.</param>
/// <param name="HasIngressPin">A link of ours is pinned for it.</param>
/// <param name="HasGuardPin">A link of ours is pinned for it.</param>
public sealed record DevicePrograms(int Index, IReadOnlyList<string> Ingress, IReadOnlyList<string> Egress, bool IsRegistered, bool HasIngressPin, bool HasGuardPin);
