using System;
using System.Collections.Generic;
using System.Net;
using Postern.Policy.Config;
using Postern.Xds.Config;

namespace Postern.Proxy.Listeners;

/// <summary>
/// Picks the filter chain of a connection. Envoy's way: criteria are looked at in a fixed order, and at each one only the chains with the most
/// specific match go on; a chain that does not name a criterion matches it least specifically. So the order of chains never matters.
/// </summary>
internal sealed class FilterChainMatcher<TChain>
    where TChain : class
{
    private readonly (FilterChainMatchConfig Match, TChain Chain)[] chains;
    private readonly TChain? fallback;

    public FilterChainMatcher(IReadOnlyList<(FilterChainMatchConfig? Match, TChain Chain)> chains, TChain? fallback)
    {
        this.chains = new (FilterChainMatchConfig, TChain)[chains.Count];
        for (var i = 0; i < chains.Count; i++)
        {
            this.chains[i] = (chains[i].Match ?? new FilterChainMatchConfig(), chains[i].Chain);
        }
        this.fallback = fallback;
    }

    /// <summary>The chain for a connection, the default chain, or null: the connection is refused.</summary>
    public TChain? Match(in ConnectionTraits traits)
    {
        // Few chains per listener: scoring each is cheaper than any index. The score's digits are the criteria in Envoy's order.
        TChain? best = null;
        Score bestScore = default;
        foreach (var (match, chain) in chains)
        {
            if (TryScore(match, traits, out var score) && (best is null || score.CompareTo(bestScore) > 0))
            {
                (best, bestScore) = (chain, score);
            }
        }
        return best ?? fallback;
    }

    private static bool TryScore(FilterChainMatchConfig match, in ConnectionTraits traits, out Score score)
    {
        score = default;
        if (match.DestinationPort is { } port)
        {
            if (port != traits.Destination.Port)
            {
                return false;
            }
            score.DestinationPort = 1;
        }
        return TryPrefix(match.PrefixRanges, traits.Destination.Address, out score.DestinationPrefix)
            && TryServerName(match.ServerNames, traits.ServerName, out score.ServerName)
            && TryTransport(match.TransportProtocol, traits.TransportProtocol, out score.Transport)
            && TryApplication(match.ApplicationProtocols, traits.ApplicationProtocols, out score.Application)
            && TryPrefix(match.SourcePrefixRanges, traits.Source.Address, out score.SourcePrefix)
            && TryPort(match.SourcePorts, traits.Source.Port, out score.SourcePort);
    }

    private static bool TryPrefix(EquatableList<CidrConfig> ranges, IPAddress address, out int score)
    {
        score = 0;
        foreach (var range in ranges)
        {
            if (range.Address.AddressFamily == address.AddressFamily && new IPNetwork(range.Address, range.PrefixLength).Contains(address))
            {
                score = Math.Max(score, range.PrefixLength + 1);
            }
        }
        return score > 0 || ranges.Count == 0;
    }

    private static bool TryServerName(EquatableList<string> names, string serverName, out int score)
    {
        score = 0;
        foreach (var name in names)
        {
            if (name.Equals(serverName, StringComparison.OrdinalIgnoreCase))
            {
                score = int.MaxValue;
            }
            else if (name.StartsWith("*.", StringComparison.Ordinal) && serverName.Length >= name.Length && serverName.EndsWith(name[1..], StringComparison.OrdinalIgnoreCase))
            {
                score = Math.Max(score, name.Length);
            }
        }
        return score > 0 || names.Count == 0;
    }

    private static bool TryTransport(string wanted, string actual, out int score)
    {
        score = wanted.Length > 0 ? 1 : 0;
        return wanted.Length == 0 || wanted == actual;
    }

    private static bool TryApplication(EquatableList<string> wanted, IReadOnlyList<string> offered, out int score)
    {
        score = 0;
        foreach (var protocol in offered)
        {
            foreach (var name in wanted)
            {
                if (name == protocol)
                {
                    score = 1;
                    return true;
                }
            }
        }
        return wanted.Count == 0;
    }

    private static bool TryPort(EquatableList<uint> ports, int port, out int score)
    {
        score = 0;
        foreach (var candidate in ports)
        {
            if (candidate == port)
            {
                score = 1;
                return true;
            }
        }
        return ports.Count == 0;
    }

    private struct Score : IComparable<Score>
    {
        public int DestinationPort;
        public int DestinationPrefix;
        public int ServerName;
        public int Transport;
        public int Application;
        public int SourcePrefix;
        public int SourcePort;

        public readonly int CompareTo(Score other) =>
            (DestinationPort, DestinationPrefix, ServerName, Transport, Application, SourcePrefix, SourcePort)
                .CompareTo((other.DestinationPort, other.DestinationPrefix, other.ServerName, other.Transport, other.Application, other.SourcePrefix, other.SourcePort));
    }
}

/// <summary>What a chain is picked by.</summary>
/// <param name="Source">Client.</param>
/// <param name="Destination">Original destination.</param>
/// <param name="ServerName">SNI, or empty.</param>
/// <param name="TransportProtocol">"tls" or "raw_buffer".</param>
/// <param name="ApplicationProtocols">ALPN of the hello, or what the HTTP inspector found.</param>
internal readonly record struct ConnectionTraits(IPEndPoint Source, IPEndPoint Destination, string ServerName, string TransportProtocol, IReadOnlyList<string> ApplicationProtocols);
