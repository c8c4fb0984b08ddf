using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using Postern.Policy;

namespace Postern.Agent.Model;

/// <summary>
/// The proxy-visibility annotation: which allowed traffic is to be shown at L7. Grammar: <c>&lt;Ingress/80/TCP/HTTP&gt;</c>, joined by
/// commas; one bad entry refuses the whole value. ANY stands for TCP, UDP and SCTP.
/// </summary>
public sealed partial class VisibilityAnnotation
{
    /// <summary>The keys it is found under; the first wins.</summary>
    public static readonly IReadOnlyList<string> Keys = ["policy.cilium.io/proxy-visibility", "io.cilium.proxy-visibility"];

    /// <summary>No annotation.</summary>
    public static readonly VisibilityAnnotation None = new([]);

    private VisibilityAnnotation(IReadOnlyList<VisibilityRule> rules) => Rules = rules;

    /// <summary>Sorted, without repetitions.</summary>
    public IReadOnlyList<VisibilityRule> Rules { get; }

    [GeneratedRegex(@"\A<(Ingress|Egress)/([1-9][0-9]{1,5})/(TCP|UDP|SCTP|ANY)/([A-Za-z]{3,32})>\z")]
    private static partial Regex Entry { get; }

    /// <summary>Reads a value. Null with a reason when it is refused.</summary>
    public static VisibilityAnnotation? Parse(string value, out string reason)
    {
        var rules = new SortedDictionary<(TrafficDirection, ushort, string), VisibilityRule>();
        foreach (var entry in value.Split(','))
        {
            var match = Entry.Match(entry);
            if (!match.Success)
            {
                reason = "is not of the form <DIRECTION/PORT/PROTOCOL/PARSER>, joined by commas, as in <Ingress/80/TCP/HTTP>";
                return null;
            }
            if (!ushort.TryParse(match.Groups[2].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            {
                reason = $"port {match.Groups[2].Value} is greater than 65535";
                return null;
            }
            var direction = match.Groups[1].Value == "Ingress" ? TrafficDirection.Ingress : TrafficDirection.Egress;
            var parser = match.Groups[4].Value.ToLowerInvariant();
            if (parser == "dns" && direction == TrafficDirection.Ingress)
            {
                reason = "dns is not allowed with direction Ingress";
                return null;
            }
            if (parser is not ("http" or "kafka" or "dns"))
            {
                reason = $"'{parser}' is no parser; there are http, kafka and dns";
                return null;
            }
            var protocols = match.Groups[3].Value == "ANY" ? ["TCP", "UDP", "SCTP"] : new[] { match.Groups[3].Value };
            foreach (var protocol in protocols)
            {
                if (parser != "dns" && protocol != "TCP")
                {
                    reason = $"{parser} is not allowed with protocol {match.Groups[3].Value}; it needs TCP";
                    return null;
                }
                var rule = new VisibilityRule(direction, port, protocol, parser);
                if (!rules.TryAdd((direction, port, protocol), rule) && rules[(direction, port, protocol)] != rule)
                {
                    reason = $"duplicate annotations with different L7 protocols for {port}/{protocol}";
                    return null;
                }
            }
        }
        reason = "";
        return new VisibilityAnnotation([.. rules.Values]);
    }
}

/// <summary>One entry.</summary>
/// <param name="Direction">Ingress or egress of the endpoint.</param>
/// <param name="Port">10–65535.</param>
/// <param name="Protocol"><c>TCP</c>, <c>UDP</c> or <c>SCTP</c>.</param>
/// <param name="Parser"><c>http</c>, <c>kafka</c> or <c>dns</c>.</param>
public sealed record VisibilityRule(TrafficDirection Direction, ushort Port, string Protocol, string Parser);
