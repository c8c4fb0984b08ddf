using System.Net;

namespace Postern.Tproxy.Steering;

/// <summary>
/// Traffic to steer to a listener of the proxy. What is null is not looked at. The text form, for a command line, is
/// <c>to=10.0.0.2/32,port=80,from=10.0.1.0/24,in=eth0,proto=udp,proxy-port=15001</c>; <c>port</c> may be a range, <c>80-90</c>; without <c>proto</c> it is TCP.
/// </summary>
/// <param name="Destination">Destination prefix.</param>
/// <param name="Source">Source prefix, of the same family as the destination.</param>
/// <param name="DestinationPort">First destination port, 1–65535.</param>
/// <param name="DestinationPortEnd">Last destination port, inclusive; equals the first for a single port.</param>
/// <param name="InInterface">Interface the packets come in by; a trailing <c>+</c> matches all that begin so.</param>
/// <param name="ProxyPort">The port of the steered listener on 127.0.0.1 and ::1.</param>
/// <param name="Protocol">TCP or UDP.</param>
public sealed record SteeringRule(
    IPNetwork? Destination,
    IPNetwork? Source,
    ushort DestinationPort,
    ushort DestinationPortEnd,
    string? InInterface,
    ushort ProxyPort,
    SteeringProtocol Protocol = SteeringProtocol.Tcp)
{
    /// <summary>Whether the rule concerns that family: one without prefixes concerns both.</summary>
    internal bool Concerns(IpFamily family) =>
        (Destination is not { } to || family.Owns(to.BaseAddress)) && (Source is not { } from || family.Owns(from.BaseAddress));

    /// <exception cref="TproxyException">Names the key and what it may hold.</exception>
    public static SteeringRule Parse(string text) => SteeringRuleText.Parse(text);

    /// <summary>The text form, which <see cref="Parse"/> reads back to an equal rule.</summary>
    public override string ToString() => SteeringRuleText.Format(this);
}
