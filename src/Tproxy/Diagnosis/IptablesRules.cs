using System;
using System.Collections.Generic;
using System.Globalization;
using System.Net;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Diagnosis;

/// <summary>What a listing (<c>iptables -t mangle -S</c>) says about our chains. Pure.</summary>
public static class IptablesRules
{
    /// <summary>Whether our chain is there.</summary>
    public static bool HasChain(string listing) => IptablesText.Holds(Checked(listing), IptablesText.PreChain);

    /// <summary>Rules of PREROUTING in front of the one that feeds our chain; null if none feeds it.</summary>
    public static IReadOnlyList<string>? BeforeFeeder(string listing)
    {
        var before = new List<string>();
        foreach (var line in Checked(listing).Split('\n'))
        {
            if (!line.StartsWith("-A PREROUTING ", StringComparison.Ordinal))
            {
                continue;
            }

            if (line.EndsWith($" -j {IptablesText.PreChain}", StringComparison.Ordinal))
            {
                return before;
            }

            before.Add(line);
        }

        return null;
    }

    /// <summary>Whether the chain catches what answers the proxy's own connections: by socket match or connection mark.</summary>
    public static bool CatchesAnswers(string listing)
    {
        foreach (var line in Checked(listing).Split('\n'))
        {
            if (line.StartsWith($"-A {IptablesText.PreChain} ", StringComparison.Ordinal) && line.Contains(" -j MARK ", StringComparison.Ordinal)
                && (line.Contains("-m socket", StringComparison.Ordinal) || line.Contains("-m connmark", StringComparison.Ordinal)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The TPROXY rules of our chain, in order; what is not understood is left out.</summary>
    public static IReadOnlyList<SteeringRule> Steering(string listing)
    {
        var rules = new List<SteeringRule>();
        foreach (var line in Checked(listing).Split('\n'))
        {
            if (line.StartsWith($"-A {IptablesText.PreChain} ", StringComparison.Ordinal) && line.Contains(" -j TPROXY ", StringComparison.Ordinal) && Rule(line.Split(' ')) is { } rule)
            {
                rules.Add(rule);
            }
        }

        return rules;
    }

    private static SteeringRule? Rule(string[] words)
    {
        IPNetwork? to = null, from = null;
        string? link = null;
        ushort first = 1, last = ushort.MaxValue, port = 0;
        var protocol = SteeringProtocol.Tcp;
        for (var i = 0; i + 1 < words.Length; i++)
        {
            var value = words[i + 1];
            switch (words[i])
            {
                case "-s": from = Network(value); break;
                case "-d": to = Network(value); break;
                case "-i": link = value; break;
                case "-p": protocol = value == "udp" ? SteeringProtocol.Udp : SteeringProtocol.Tcp; break;
                case "--on-port": _ = ushort.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out port); break;
                case "--dport":
                    var ends = value.Split(':');
                    if (!ushort.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out first) || !ushort.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out last))
                    {
                        return null;
                    }

                    break;
            }
        }

        return port == 0 ? null : new SteeringRule(to, from, first, last, link, port, protocol);
    }

    private static IPNetwork? Network(string text) => IPNetwork.TryParse(text, out var network) ? network : null;

    private static string Checked(string listing)
    {
        ArgumentNullException.ThrowIfNull(listing);
        return listing;
    }
}
