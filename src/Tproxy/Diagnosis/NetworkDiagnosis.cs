using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Sockets;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Diagnosis;

/// <summary>Looks at the calling thread's network namespace by <c>ip</c>, <c>iptables -S</c> and /proc, and changes nothing.</summary>
public sealed class NetworkDiagnosis
{
    private static readonly string[] DeviceSysctls = ["rp_filter", "src_valid_mark", "accept_local", "forwarding"];
    private static readonly string[] Sysctls = ["ipv4/ip_forward", "ipv4/ip_early_demux", "ipv4/tcp_early_demux", "ipv4/fwmark_reflect", "ipv6/fwmark_reflect", "ipv6/conf/all/forwarding"];

    private readonly SteeringOptions options;
    private readonly CommandRunner runner;
    private readonly List<string> blind = [];

    public NetworkDiagnosis(SteeringOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.options = options;
        runner = new CommandRunner(options.CommandTimeout);
    }

    /// <summary>A snapshot; what cannot be looked at is told in it.</summary>
    public NetworkFacts Read()
    {
        var links = Ip("-d link show", IpJson.Links) ?? [];
        return new NetworkFacts
        {
            Links = links,
            V4 = Family(IpFamily.V4, isEnabled: true),
            V6 = Family(IpFamily.V6, KernelSettings.HasIpv6()),
            Sysctls = ReadSysctls(links),
            HasOwner = HasOwner(),
            Written = RulesFile.Read(options, blind.Add),
            Blind = [.. blind],
        };
    }

    /// <summary>Where a packet that this host sends goes.</summary>
    public RouteAnswer Route(IPAddress to) => Ask($"{Flag(to)} route get {to}");

    /// <summary>Where a packet that comes in by <paramref name="device"/> with this mark goes.</summary>
    public RouteAnswer Route(IPAddress to, IPAddress from, string device, uint mark) =>
        Ask(string.Create(CultureInfo.InvariantCulture, $"{Flag(to)} route get {to} from {from} iif {device} mark 0x{mark:x}"));

    private RouteAnswer Ask(string question)
    {
        try
        {
            var result = runner.Run("ip", ["-N", "-j", .. question.Split(' ')]);
            return result.Succeeded ? IpJson.Answer(result.Output) : new RouteAnswer(string.Empty, string.Empty, string.Empty, result.Complaint);
        }
        catch (Exception error) when (error is TproxyException or FormatException)
        {
            return new RouteAnswer(string.Empty, string.Empty, string.Empty, error.Message);
        }
    }

    private FamilyFacts Family(IpFamily family, bool isEnabled)
    {
        if (!isEnabled)
        {
            return new FamilyFacts { IsEnabled = false };
        }

        var table = options.RouteTable.ToString(CultureInfo.InvariantCulture);
        return new FamilyFacts
        {
            Rules = Ip($"{family.IpFlag} rule show", IpJson.Rules),
            Table = Ip($"{family.IpFlag} route show table {table}", IpJson.Routes),
            Defaults = Ip($"{family.IpFlag} route show default", IpJson.Routes) ?? [],
            Mangle = Mangle(family),
        };
    }

    private string? Mangle(IpFamily family)
    {
        try
        {
            return new Iptables(runner, family, options).List();
        }
        catch (TproxyException error)
        {
            blind.Add($"{family} mangle table: {error.Message}");
            return null;
        }
    }

    private T? Ip<T>(string what, Func<string, T> read)
        where T : class
    {
        try
        {
            var result = runner.Run("ip", ["-N", "-j", .. what.Split(' ')]);
            if (result.Succeeded)
            {
                return read(result.Output);
            }

            if (result.Error.Contains("FIB table does not exist", StringComparison.Ordinal))
            {
                return read("[]");
            }

            blind.Add($"ip {what}: {result.Complaint}");
        }
        catch (Exception error) when (error is TproxyException or FormatException)
        {
            blind.Add($"ip {what}: {error.Message}");
        }

        return null;
    }

    /// <summary>Where the table of locks does not tell, a shared lock that is refused tells of an exclusive one. Opening for reading makes no file.</summary>
    private bool? HasOwner()
    {
        var path = SteeringLock.PathIn(options.LockDirectory);
        if (LockTable.IsHeld(path) is { } held)
        {
            return held;
        }

        try
        {
            // FileShare.Read is flock(LOCK_SH | LOCK_NB).
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            blind.Add($"the steering lock {path}: no right to read it; run as root");
            return null;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static Dictionary<string, string> ReadSysctls(IReadOnlyList<LinkFacts> links)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        void Add(string name)
        {
            try
            {
                values[name] = File.ReadAllText("/proc/sys/net/" + name).Trim();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // This kernel or namespace has no such thing.
            }
        }

        foreach (var name in Sysctls)
        {
            Add(name);
        }

        foreach (var name in DeviceSysctls)
        {
            Add("ipv4/conf/all/" + name);
            foreach (var link in links)
            {
                Add($"ipv4/conf/{link.Name}/{name}");
            }
        }

        return values;
    }

    private static string Flag(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? "-6" : "-4";
}
