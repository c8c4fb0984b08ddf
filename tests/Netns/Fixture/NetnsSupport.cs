using System;
using System.IO;

namespace Postern.Netns.Fixture;

/// <summary>Whether this machine lets us make network namespaces. Tried once per test process.</summary>
public static class NetnsSupport
{
    private static readonly Lazy<string?> Reason = new(Probe);

    /// <summary>Null if namespaces can be made, else the reason for the skip.</summary>
    public static string? WhyNot => Reason.Value;

    private static string? Probe()
    {
        if (!OperatingSystem.IsLinux())
        {
            return "network namespaces need Linux";
        }

        if (!Environment.IsPrivilegedProcess)
        {
            return "network namespaces need root; run the tests with sudo";
        }

        foreach (var tool in new[] { "ip", "iptables" })
        {
            if (!File.Exists("/usr/sbin/" + tool) && !File.Exists("/sbin/" + tool))
            {
                return $"the command '{tool}' is not installed (packages iproute2, iptables)";
            }
        }

        try
        {
            using var trial = new NetworkNamespace("probe");
            return null;
        }
        catch (InvalidOperationException error)
        {
            return "cannot make a network namespace: " + error.Message;
        }
    }
}
