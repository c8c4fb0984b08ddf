using System;
using Postern.Tproxy.Netlink;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Bpf;

/// <summary>Taking eBPF steering away, whichever run brought it. The steering lock is the caller's; so are ip rule and route.</summary>
internal static class EbpfLeftovers
{
    /// <summary>
    /// The maps' names first: what is half removed is then not taken for whole. Then the guards, which drop what comes by a device without the program, then
    /// the program.
    /// </summary>
    /// <returns>Whether there was anything.</returns>
    /// <exception cref="TproxyException">A pin could not be removed.</exception>
    internal static bool Remove(SteeringOptions options)
    {
        var pins = new SteeringPins(options);
        var removed = pins.Any;
        pins.RemoveMaps();
        foreach (var hook in (ReadOnlySpan<DeviceHook>)[DeviceHook.Egress, DeviceHook.Ingress])
        {
            foreach (var (path, _, at) in pins.Links())
            {
                if (at == hook)
                {
                    SteeringPins.RemoveLink(path);
                }
            }

            removed |= RemoveFilters(hook, options.ClsactPriority);
        }

        if (pins.Any)
        {
            pins.RemoveFolder();
        }

        return removed;
    }

    /// <summary>As <see cref="Remove"/>, but what fails goes to the log.</summary>
    internal static bool TryRemove(SteeringOptions options, Action<string> log)
    {
        try
        {
            var removed = Remove(options);
            if (removed)
            {
                log("steering: eBPF programs and maps of an earlier run were removed");
            }

            return removed;
        }
        catch (TproxyException error)
        {
            log($"steering: could not remove the eBPF steering of an earlier run: {error.Message}");
            return false;
        }
    }

    private static bool RemoveFilters(DeviceHook hook, int priority)
    {
        var removed = false;
        try
        {
            foreach (var device in NetworkDevices.Read())
            {
                removed |= !device.IsLoopback && ClsactHook.Remove(device.Index, hook, priority);
            }
        }
        catch (Exception error) when (SteeringProgram.LacksLibrary(error))
        {
            // Who never had libbpf has left no filter.
        }

        return removed;
    }
}
