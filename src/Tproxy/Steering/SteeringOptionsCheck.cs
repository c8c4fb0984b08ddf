using System;
using System.Net.Sockets;

namespace Postern.Tproxy.Steering;

/// <summary>Refuses options that would be written into commands as something else than they look.</summary>
internal static class SteeringOptionsCheck
{
    /// <exception cref="TproxyException">Names the option and what it may hold.</exception>
    internal static void Demand(SteeringOptions options)
    {
        if (options.RulePriority is < 1 or > 32765)
        {
            throw new TproxyException($"RulePriority {options.RulePriority} is not within 1 to 32765 (after the local table, before main)");
        }

        // 253 to 255 are default, main and local.
        if (options.RouteTable is < 1 or (>= 253 and <= 255))
        {
            throw new TproxyException($"RouteTable {options.RouteTable} is reserved or negative; choose another, 2004 is usual");
        }

        if (options.ListenerV4.AddressFamily != AddressFamily.InterNetwork || options.ListenerV6.AddressFamily != AddressFamily.InterNetworkV6)
        {
            throw new TproxyException("ListenerV4 and ListenerV6 must be an IPv4 and an IPv6 address");
        }

        if (options.IptablesVariant is not ("" or "-nft" or "-legacy"))
        {
            throw new TproxyException($"IptablesVariant '{options.IptablesVariant}' is not empty, -nft or -legacy");
        }

        if (options.ClsactPriority is < 1 or > 65535)
        {
            throw new TproxyException($"ClsactPriority {options.ClsactPriority} is not within 1 to 65535");
        }

        if (options.FlowEntries is < 1024 or > 4_194_304)
        {
            throw new TproxyException($"FlowEntries {options.FlowEntries} is not within 1,024 to 4,194,304");
        }

        if (!options.BpfRoot.StartsWith('/'))
        {
            throw new TproxyException($"BpfRoot '{options.BpfRoot}' is no absolute path; /sys/fs/bpf is usual");
        }

        if (options.CommandTimeout <= TimeSpan.Zero || options.CommandTimeout > TimeSpan.FromMinutes(5))
        {
            throw new TproxyException($"CommandTimeout {options.CommandTimeout} is not within 0 and 5 minutes");
        }
    }
}
