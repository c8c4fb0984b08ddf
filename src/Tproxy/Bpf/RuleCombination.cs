using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Bpf;

/// <summary>What a rule's key says beside the ports.</summary>
/// <param name="Device">Interface index, or 0: any.</param>
/// <param name="Source">Class, or 0: any.</param>
/// <param name="Destination">Class, or 0: any.</param>
/// <param name="Protocol">TCP or UDP.</param>
internal readonly record struct RuleCombination(uint Device, uint Source, uint Destination, SteeringProtocol Protocol);
