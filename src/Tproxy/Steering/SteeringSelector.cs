using System;
using Postern.Tproxy.Bpf;

namespace Postern.Tproxy.Steering;

/// <summary>Chooses by what to steer.</summary>
public static class SteeringSelector
{
    /// <summary>Nothing is changed yet. What an earlier run steered by the other mode goes when the first rules of this one stand.</summary>
    /// <param name="wanted">A mode that cannot be had is an error, <see cref="SteeringMode.Auto"/> falls back to iptables.</param>
    /// <param name="options">See <see cref="SteeringOptions"/>.</param>
    /// <param name="log">Gets one line about what was chosen, and why.</param>
    /// <exception cref="TproxyException">eBPF was asked for and cannot be had; says why.</exception>
    public static ISteering Choose(SteeringMode wanted, SteeringOptions options, Action<string> log)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(log);
        if (wanted == SteeringMode.Iptables)
        {
            return new IptablesSteering([], options, log);
        }

        if (EbpfSteering.WhyNot(options) is not { } reason)
        {
            log($"steering: eBPF ({(options.Attach != AttachMode.Clsact && TcxHook.IsKnown() ? "tcx" : "clsact")})");
            return new EbpfSteering(options, log);
        }

        if (wanted == SteeringMode.Ebpf)
        {
            throw new TproxyException(reason);
        }

        log($"steering: iptables, because {reason}");
        return new IptablesSteering([], options, log);
    }

    /// <summary>What an earlier run of any mode left behind; see <see cref="IptablesSteering.RemoveLeftovers"/>.</summary>
    /// <returns>Whether there was anything.</returns>
    public static bool RemoveLeftovers(SteeringOptions options, Action<string> log)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(log);
        SteeringOptionsCheck.Demand(options);
        return Privilege.HasNetAdmin() && SteeringLock.IfFree(options, log, () =>
        {
            var programs = EbpfSteering.RemoveOwnerless(options, log);
            return IptablesSteering.RemoveOwnerless(options, log) || programs;
        });
    }
}
