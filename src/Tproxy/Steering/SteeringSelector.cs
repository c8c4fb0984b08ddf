using System;

namespace Postern.Tproxy.Steering;

/// <summary>Stands in for the choice between the modes until eBPF steering is merged.</summary>
public static class SteeringSelector
{
    /// <exception cref="TproxyException">The mode that was asked for cannot be had.</exception>
    public static ISteering Choose(SteeringMode wanted, SteeringOptions options, Action<string> log)
    {
        ArgumentNullException.ThrowIfNull(log);
        if (wanted == SteeringMode.Ebpf)
        {
            throw new TproxyException("eBPF steering is not built in yet; --steering iptables");
        }
        if (wanted == SteeringMode.Auto)
        {
            log("steering by iptables: eBPF is not built in yet");
        }
        return new IptablesSteering([], options, log);
    }
}
