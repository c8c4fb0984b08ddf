using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using Postern.Policy.Config;
using Postern.Proxy.Listeners;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Listeners;

public class FilterChainMatcherTests
{
    private static readonly string[] Names = ["", "a.example", "b.example", "x.a.example", "other"];

    [Fact]
    public void OrderOfChains_NeverMatters()
    {
        var random = new Random(2);
        for (var i = 0; i < 5000; i++)
        {
            // Chains with one match between them would be refused when the listener is read.
            var chains = Enumerable.Range(0, random.Next(1, 6)).Select(_ => RandomMatch(random)).DistinctBy(m => m.ToString()).Select((m, n) => ((FilterChainMatchConfig?)m, $"chain {n}")).ToList();
            var shuffled = chains.ToArray();
            random.Shuffle(shuffled);
            var one = new FilterChainMatcher<string>(chains, null);
            var other = new FilterChainMatcher<string>(shuffled, null);
            var traits = RandomTraits(random);
            Assert.Equal(one.Match(traits), other.Match(traits));
        }
    }

    [Fact]
    public void Fallback_IsTakenExactlyWhenNoChainMatches()
    {
        var random = new Random(3);
        for (var i = 0; i < 5000; i++)
        {
            var matches = Enumerable.Range(0, 3).Select(_ => RandomMatch(random)).ToList();
            var traits = RandomTraits(random);
            var alone = matches.Count(m => new FilterChainMatcher<string>([(m, "x")], null).Match(traits) is not null);
            var all = new FilterChainMatcher<string>([.. matches.Select(m => ((FilterChainMatchConfig?)m, "x"))], "fallback");
            Assert.Equal(alone == 0 ? "fallback" : "x", all.Match(traits));
        }
    }

    [Fact]
    public void NoMatchAndNoFallback_IsNull() =>
        Assert.Null(new FilterChainMatcher<string>([(new FilterChainMatchConfig { DestinationPort = 81 }, "x")], null).Match(RandomTraits(new Random(1))));

    [Theory]
    [InlineData("a.example", "exact")]
    [InlineData("x.a.example", "long")]
    [InlineData("x.b.example", "short")]
    [InlineData("example", "any")]
    [InlineData("", "any")]
    public void ServerName_PicksTheMostSpecificChain(string name, string expected)
    {
        var matcher = new FilterChainMatcher<string>(
            [(null, "any"), (Named("*.example"), "short"), (Named("a.example"), "exact"), (Named("*.a.example"), "long")], null);
        Assert.Equal(expected, matcher.Match(new ConnectionTraits(new IPEndPoint(IPAddress.Loopback, 1), new IPEndPoint(IPAddress.Loopback, 80), name, "tls", [])));
    }

    private static FilterChainMatchConfig Named(string name) => new() { ServerNames = [name] };

    private static FilterChainMatchConfig RandomMatch(Random random) => new()
    {
        DestinationPort = random.Next(3) == 0 ? 80u : null,
        PrefixRanges = random.Next(3) == 0 ? [new CidrConfig(IPAddress.Parse("10.0.0.0"), 8 * random.Next(0, 5))] : [],
        ServerNames = random.Next(2) == 0 ? [random.Next(2) == 0 ? Names[random.Next(1, Names.Length)] : "*.example"] : [],
        TransportProtocol = random.Next(3) == 0 ? "tls" : "",
        ApplicationProtocols = random.Next(3) == 0 ? ["h2"] : [],
        SourcePorts = random.Next(4) == 0 ? [1u] : [],
    };

    private static ConnectionTraits RandomTraits(Random random)
    {
        IReadOnlyList<string> protocols = random.Next(2) == 0 ? ["h2", "http/1.1"] : [];
        return new ConnectionTraits(
            new IPEndPoint(IPAddress.Loopback, random.Next(1, 3)), new IPEndPoint(IPAddress.Parse($"10.0.0.{random.Next(2)}"), 80), Names[random.Next(Names.Length)], random.Next(2) == 0 ? "tls" : "raw_buffer", protocols);
    }
}
