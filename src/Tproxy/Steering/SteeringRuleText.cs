using System;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Postern.Tproxy.Steering;

/// <summary>
/// Reads and writes the text form of a <see cref="SteeringRule"/>. Strict: a rule that is read otherwise than it was meant steers too little,
/// and what is not steered is not policed.
/// </summary>
internal static class SteeringRuleText
{
    private const int LongestText = 256;
    private const int LongestInterface = 15; // IFNAMSIZ less the terminator
    private const string Keys = "to, from, port, in, proto, proxy-port";

    internal static SteeringRule Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > LongestText)
        {
            throw new TproxyException($"steering rule of {text.Length} characters is longer than {LongestText}");
        }

        string? to = null, from = null, port = null, link = null, proto = null, proxyPort = null;
        foreach (var part in text.Split(','))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
            {
                throw Fault(text, $"'{part}' is not key=value; the keys are {Keys}");
            }

            var value = part[(equals + 1)..];
            switch (part[..equals])
            {
                case "to": Once(text, "to", ref to, value); break;
                case "from": Once(text, "from", ref from, value); break;
                case "port": Once(text, "port", ref port, value); break;
                case "in": Once(text, "in", ref link, value); break;
                case "proto": Once(text, "proto", ref proto, value); break;
                case "proxy-port": Once(text, "proxy-port", ref proxyPort, value); break;
                default: throw Fault(text, $"unknown key '{part[..equals]}'; the keys are {Keys}");
            }
        }

        if (port is null)
        {
            throw Fault(text, "port is missing; port=1-65535 steers all");
        }

        if (proxyPort is null)
        {
            throw Fault(text, "proxy-port is missing");
        }

        var dash = port.IndexOf('-', StringComparison.Ordinal);
        var first = Port(text, "port", dash < 0 ? port : port[..dash]);
        var last = dash < 0 ? first : Port(text, "port", port[(dash + 1)..]);
        var rule = new SteeringRule(
            to is null ? null : Prefix(text, "to", to),
            from is null ? null : Prefix(text, "from", from),
            first,
            last,
            link,
            Port(text, "proxy-port", proxyPort),
            Protocol(text, proto));
        Check(rule, text);
        return rule;
    }

    /// <summary>Checks a rule however it was made: its parts are written into a rules file, so nothing unforeseen may pass.</summary>
    internal static void Check(SteeringRule rule, string text)
    {
        if (rule.Protocol is not (SteeringProtocol.Tcp or SteeringProtocol.Udp))
        {
            throw Fault(text, $"protocol {(int)rule.Protocol} is neither TCP nor UDP");
        }

        if (rule.DestinationPort == 0 || rule.ProxyPort == 0)
        {
            throw Fault(text, "ports are 1 to 65535");
        }

        if (rule.DestinationPortEnd < rule.DestinationPort)
        {
            throw Fault(text, $"port range {rule.DestinationPort}-{rule.DestinationPortEnd} runs backwards");
        }

        CheckPrefix(text, "to", rule.Destination);
        CheckPrefix(text, "from", rule.Source);
        if (rule.Destination is { } to && rule.Source is { } from && to.BaseAddress.AddressFamily != from.BaseAddress.AddressFamily)
        {
            throw Fault(text, "to and from are of different IP versions, so nothing would match");
        }

        if (rule.InInterface is { } link && !IsInterface(link))
        {
            throw Fault(text, $"in='{link}' is not an interface name (1 to {LongestInterface} letters, digits, . _ - : @, perhaps a + at the end)");
        }
    }

    internal static string Format(SteeringRule rule)
    {
        var text = new StringBuilder();
        if (rule.Destination is { } to)
        {
            text.Append("to=").Append(to).Append(',');
        }

        text.Append("port=").Append(rule.DestinationPort.ToString(CultureInfo.InvariantCulture));
        if (rule.DestinationPortEnd != rule.DestinationPort)
        {
            text.Append('-').Append(rule.DestinationPortEnd.ToString(CultureInfo.InvariantCulture));
        }

        if (rule.Source is { } from)
        {
            text.Append(",from=").Append(from);
        }

        if (rule.InInterface is { } link)
        {
            text.Append(",in=").Append(link);
        }

        // TCP is left out: texts of before there was a protocol stay what they were.
        if (rule.Protocol != SteeringProtocol.Tcp)
        {
            text.Append(",proto=").Append(rule.Protocol == SteeringProtocol.Udp ? "udp" : ((int)rule.Protocol).ToString(CultureInfo.InvariantCulture));
        }

        return text.Append(",proxy-port=").Append(rule.ProxyPort.ToString(CultureInfo.InvariantCulture)).ToString();
    }

    private static void Once(string text, string key, ref string? slot, string value)
    {
        if (slot is not null)
        {
            throw Fault(text, $"{key} is given twice; write two rules");
        }

        slot = value.Length > 0 ? value : throw Fault(text, $"{key} is empty; leave it out to match all");
    }

    private static SteeringProtocol Protocol(string text, string? value) => value switch
    {
        null or "tcp" => SteeringProtocol.Tcp,
        "udp" => SteeringProtocol.Udp,
        _ => throw Fault(text, $"proto='{value}' is neither tcp nor udp"),
    };

    private static ushort Port(string text, string key, string value)
    {
        // Digits only: signs and blanks are somebody's mistake. No leading zero, which elsewhere means octal.
        if (value.Length is 0 or > 5
            || value[0] == '0'
            || !ushort.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            throw Fault(text, $"{key}='{value}' is not a port (1 to 65535{(key == "port" ? ", or a range 80-90" : string.Empty)})");
        }

        return port;
    }

    private static IPNetwork Prefix(string text, string key, string value)
    {
        var slash = value.IndexOf('/', StringComparison.Ordinal);
        var addressText = slash < 0 ? value : value[..slash];
        // IPAddress.Parse also takes "10.1" and "0x0a000001"; only the four-part decimal form says what it looks like.
        if (!IPAddress.TryParse(addressText, out var address)
            || addressText.AsSpan().ContainsAny('%', '[', ']')
            || (address.AddressFamily == AddressFamily.InterNetwork && address.ToString() != addressText))
        {
            throw Fault(text, $"{key}='{value}' is not an IP prefix such as 10.0.0.0/24 or fd00::/64");
        }

        var bits = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        var length = bits;
        if (slash >= 0 && (!int.TryParse(value[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out length) || length > bits))
        {
            throw Fault(text, $"{key}='{value}': the prefix length is 0 to {bits}");
        }

        // Since .NET 10 the constructor clears host bits in silence.
        var network = new IPNetwork(address, length);
        return network.BaseAddress.Equals(address)
            ? network
            : throw Fault(text, $"{key}='{value}' has bits set beyond its prefix length; did you mean {addressText}/{bits}, or {network}?");
    }

    private static void CheckPrefix(string text, string key, IPNetwork? prefix)
    {
        if (prefix is { } network && (network.BaseAddress.IsIPv4MappedToIPv6 || network.BaseAddress.ToString().Contains('%', StringComparison.Ordinal)))
        {
            throw Fault(text, $"{key}={network}: a v4-mapped or scoped prefix never matches a packet; write the plain address");
        }
    }

    private static bool IsInterface(string name)
    {
        if (name.Length is 0 or > LongestInterface || name is "." or ".." || name[0] is '-' or '+')
        {
            return false;
        }

        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-' or ':' or '@') && !(c == '+' && i == name.Length - 1))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The message is one line whatever the text holds.</summary>
    private static TproxyException Fault(string text, string why) =>
        new(string.Create(text.Length + why.Length + 18, (text, why), static (line, parts) =>
        {
            line.TryWrite($"steering rule '{parts.text}': {parts.why}", out _);
            foreach (ref var c in line)
            {
                c = char.IsControl(c) ? '?' : c;
            }
        }));
}
