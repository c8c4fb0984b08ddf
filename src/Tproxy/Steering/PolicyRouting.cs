using System;
using System.Globalization;
using System.Text.Json;

namespace Postern.Tproxy.Steering;

/// <summary>
/// The ip rule that takes packets marked 0x200 to a table in which every address is local. Ours bear protocol 80, so that they are told from
/// those of others: Cilium's agent makes the very same rule, and taking that away would cut its traffic.
/// </summary>
internal sealed class PolicyRouting(CommandRunner runner, SteeringOptions options, Action<string> log)
{
    private const string Protocol = "80";
    private const string TypeLocal = "2"; // RTN_LOCAL, as ip -N prints it
    private const string Selector = "fwmark 0x200/0xf00";

    private string Table => options.RouteTable.ToString(CultureInfo.InvariantCulture);

    private string Priority => options.RulePriority.ToString(CultureInfo.InvariantCulture);

    internal void Install(IpFamily family)
    {
        if (!HasRoute(family))
        {
            Must(family, $"route add local default dev lo table {Table} proto {Protocol}", "is lo up (ip link set lo up)?");
        }

        if (!HasRule(family))
        {
            Must(family, $"rule add priority {Priority} {Selector} lookup {Table} protocol {Protocol}", "does the kernel have CONFIG_IP_MULTIPLE_TABLES?");
        }
    }

    /// <summary>Takes away what bears our protocol number in our table. Returns whether there was any.</summary>
    internal bool Remove(IpFamily family)
    {
        var removed = false;
        // A crashed run with another priority may have left a second rule; each deletion takes one.
        while (OwnRulePriority(family) is { } priority)
        {
            Must(family, $"rule del priority {priority} {Selector} lookup {Table} protocol {Protocol}", "did another program change it meanwhile?");
            removed = true;
        }

        using var routes = Read(family, $"route show table {Table}");
        foreach (var route in routes.RootElement.EnumerateArray())
        {
            if (Is(route, "protocol", Protocol) && Is(route, "dst", "default") && Is(route, "type", TypeLocal))
            {
                Must(family, $"route del local default dev lo table {Table} proto {Protocol}", "did another program change it meanwhile?");
                removed = true;
                break;
            }
        }

        return removed;
    }

    private bool HasRule(IpFamily family)
    {
        using var rules = Read(family, "rule show");
        var present = false;
        foreach (var rule in rules.RootElement.EnumerateArray())
        {
            if (!rule.TryGetProperty("priority", out var priority) || !priority.TryGetInt64(out var number) || number != options.RulePriority)
            {
                continue;
            }

            if (IsOurSelector(rule))
            {
                present = true;
                if (!Is(rule, "protocol", Protocol))
                {
                    log($"steering: {family} rule 'priority {Priority} {Selector} lookup {Table}' was there already and is not ours (Cilium's agent?); it is used and will be left in place");
                }
            }
            else
            {
                log($"steering: another {family} ip rule has priority {Priority}: {rule.GetRawText()}; if it catches packets marked 0x200 they never reach the proxy; move it or choose another RulePriority");
            }
        }

        return present;
    }

    private bool HasRoute(IpFamily family)
    {
        using var routes = Read(family, $"route show table {Table}");
        foreach (var route in routes.RootElement.EnumerateArray())
        {
            if (!Is(route, "dst", "default"))
            {
                log($"steering: {family} routing table {Table} has a route that is not ours: {route.GetRawText()}; packets it covers may miss the proxy; remove it or choose another RouteTable");
            }
            else if (Is(route, "type", TypeLocal) && Is(route, "dev", "lo"))
            {
                return true;
            }
            else
            {
                throw new TproxyException($"cannot steer {family}: routing table {Table} already has another default route ({route.GetRawText()}); remove it or choose another RouteTable");
            }
        }

        return false;
    }

    private string? OwnRulePriority(IpFamily family)
    {
        using var rules = Read(family, "rule show");
        foreach (var rule in rules.RootElement.EnumerateArray())
        {
            if (IsOurSelector(rule) && Is(rule, "protocol", Protocol) && rule.TryGetProperty("priority", out var priority))
            {
                return priority.GetRawText();
            }
        }

        return null;
    }

    private bool IsOurSelector(JsonElement rule) =>
        Is(rule, "src", "all") && Is(rule, "fwmark", "0x200") && Is(rule, "fwmask", "0xf00") && Is(rule, "table", Table)
        && !rule.TryGetProperty("dst", out _) && !rule.TryGetProperty("iif", out _) && !rule.TryGetProperty("not", out _);

    private JsonDocument Read(IpFamily family, string what)
    {
        // -N: numbers, whatever /etc/iproute2 calls them.
        var result = runner.Run("ip", ["-N", "-j", family.IpFlag, .. what.Split(' ')]);
        if (!result.Succeeded && result.Error.Contains("FIB table does not exist", StringComparison.Ordinal))
        {
            return JsonDocument.Parse("[]");
        }

        if (!result.Succeeded)
        {
            throw new TproxyException($"'ip {family.IpFlag} {what}' failed: {result.Complaint}");
        }

        try
        {
            return JsonDocument.Parse(string.IsNullOrWhiteSpace(result.Output) ? "[]" : result.Output);
        }
        catch (JsonException error)
        {
            throw new TproxyException($"'ip -j {family.IpFlag} {what}' did not answer in JSON; iproute2 4.16 or newer is needed", error);
        }
    }

    private void Must(IpFamily family, string what, string question)
    {
        var result = runner.Run("ip", [family.IpFlag, .. what.Split(' ')]);
        if (!result.Succeeded)
        {
            throw new TproxyException($"'ip {family.IpFlag} {what}' failed: {result.Complaint}; {question}");
        }
    }

    private static bool Is(JsonElement element, string name, string value) =>
        element.TryGetProperty(name, out var property) && property.ValueKind == JsonValueKind.String && property.ValueEquals(value);
}
