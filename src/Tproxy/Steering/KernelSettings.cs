using System;
using System.Collections.Generic;
using System.IO;

namespace Postern.Tproxy.Steering;

/// <summary>
/// The sysctls that decide whether steered packets live. With TPROXY these are not what one sets for REDIRECT: route_localnet and
/// ip_nonlocal_bind play no part (the sockets are transparent), and forwarding belongs to the datapath.
///
/// src_valid_mark=1 (wg-quick sets it) makes the source check use the mark: it then finds the client's address "local", by table 2004, and drops
/// every steered packet as a martian unless accept_local=1.
/// fwmark_reflect=1 puts the mark 0x200 on the kernel's own resets, which then go to lo and never reach the client.
/// rp_filter=1 is fine where the way back to the client leads through the interface its packets come by, and drops all others.
/// </summary>
internal static class KernelSettings
{
    private const string Root = "/proc/sys/net/";

    /// <summary>One sysctl that harms steering.</summary>
    internal readonly record struct Finding(string Name, string Value, string Wanted, string Why);

    internal static bool HasIpv6Stack() => Directory.Exists(Root + "ipv6/conf");

    /// <summary>Whether the IPv6 stack of this namespace is in use: present, and not switched off for every interface.</summary>
    internal static bool HasIpv6()
    {
        if (!HasIpv6Stack())
        {
            return false;
        }

        foreach (var link in Directory.EnumerateDirectories(Root + "ipv6/conf"))
        {
            // "all" is only a lever for the others; "default" speaks for interfaces to come.
            if (Path.GetFileName(link) != "all" && Read($"ipv6/conf/{Path.GetFileName(link)}/disable_ipv6") == "0")
            {
                return true;
            }
        }

        return false;
    }

    internal static IReadOnlyList<Finding> Check()
    {
        var findings = new List<Finding>();
        if (Directory.Exists(Root + "ipv4/conf"))
        {
            foreach (var folder in Directory.EnumerateDirectories(Root + "ipv4/conf"))
            {
                var link = Path.GetFileName(folder);
                // "default" only speaks for interfaces to come; "all" holds for each.
                if (Read($"ipv4/conf/{link}/src_valid_mark") == "1" && Read("ipv4/conf/all/accept_local") != "1" && Read($"ipv4/conf/{link}/accept_local") != "1")
                {
                    findings.Add(new Finding($"ipv4/conf/{link}/src_valid_mark", "1", "0", "steered IPv4 packets are dropped as martians; or set accept_local=1 there"));
                }
            }
        }

        foreach (var name in (ReadOnlySpan<string>)["ipv4/fwmark_reflect", "ipv6/fwmark_reflect"])
        {
            if (Read(name) == "1")
            {
                findings.Add(new Finding(name, "1", "0", "resets for steered connections never reach the client"));
            }
        }

        return findings;
    }

    /// <summary>Names what <see cref="Check"/> finds, or sets it right if <paramref name="mend"/>.</summary>
    internal static void Report(bool mend, Action<string> log)
    {
        foreach (var (name, value, wanted, why) in Check())
        {
            var key = "net." + name.Replace('/', '.');
            if (!mend)
            {
                log($"steering: sysctl {key} is {value}: {why}; set it to {wanted} (sysctl -w {key}={wanted}, or MendSysctls)");
                continue;
            }

            try
            {
                File.WriteAllText(Root + name, wanted);
                log($"steering: sysctl {key} changed from {value} to {wanted}: {why}");
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                log($"steering: sysctl {key} is {value}: {why}; could not set it to {wanted}: {error.Message}");
            }
        }
    }

    private static string? Read(string name)
    {
        try
        {
            return File.ReadAllText(Root + name).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
