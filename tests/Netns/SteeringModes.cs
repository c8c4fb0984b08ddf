using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Netns;

/// <summary>The ways of steering that this machine has, for tests of what must hold in each.</summary>
public static class SteeringModes
{
    /// <summary>Why eBPF rows are missing, or null.</summary>
    public static string? WhyNoEbpf { get; } = EbpfSteering.WhyNot(SteeringOptions.Default);

    public static TheoryData<SteeringMode> All => WhyNoEbpf is null ? [SteeringMode.Iptables, SteeringMode.Ebpf] : [SteeringMode.Iptables];
}
