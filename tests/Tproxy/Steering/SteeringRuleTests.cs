using System;
using System.IO;
using System.Linq;
using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Tproxy.Steering;

public sealed class SteeringRuleTests
{
    private static readonly string[] Pieces =
    [
        "to=", "from=", "port=", "in=", "proto=", "udp", "tcp", "proxy-port=", "10.0.0.2", "/32", "/24", "fd00::", "/64", "80", "-", "90", ",", "=", "15001", "eth0", "+", " ", "\n", "\"", "0", "::ffff:1.2.3.4", "%", "-j",
    ];

    public static TheoryData<bool, string> CorpusLines()
    {
        var data = new TheoryData<bool, string>();
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Corpus", "steering-rules.txt")).Where(line => !line.StartsWith('#')))
        {
            data.Add(line.StartsWith("ok ", StringComparison.Ordinal), line.Length > 3 ? line[3..] : string.Empty);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(CorpusLines))]
    public void CorpusLine_IsReadOrRefusedAsItSays(bool good, string text)
    {
        if (good)
        {
            Assert.Equal(text, SteeringRule.Parse(text).ToString());
        }
        else
        {
            var error = Assert.Throws<Postern.Tproxy.TproxyException>(() => SteeringRule.Parse(text));
            Assert.Contains($"'{text}'", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
        }
    }

    [Fact]
    public void FullRule_AllPartsAreRead()
    {
        var rule = SteeringRule.Parse("in=eth0,proxy-port=15001,to=10.0.0.2,from=10.0.1.0/24,port=80-81");

        Assert.Equal(new SteeringRule(IPNetwork.Parse("10.0.0.2/32"), IPNetwork.Parse("10.0.1.0/24"), 80, 81, "eth0", 15001), rule);
    }

    [Fact]
    public void Tcp_IsTheDefaultAndIsNotWritten()
    {
        var rule = SteeringRule.Parse("proto=tcp,port=53,proxy-port=1");

        Assert.Equal(SteeringRule.Parse("port=53,proxy-port=1"), rule);
        Assert.Equal("port=53,proxy-port=1", rule.ToString());
        Assert.NotEqual(SteeringRule.Parse("port=53,proto=udp,proxy-port=1"), rule);
    }

    [Fact]
    public void ProtocolThatIsNeither_IsRefusedHoweverItWasMade()
    {
        var rule = new SteeringRule(null, null, 53, 53, null, 1, (SteeringProtocol)132);

        Assert.Contains("neither TCP nor UDP", Assert.Throws<Postern.Tproxy.TproxyException>(() => SteeringRuleText.Check(rule, rule.ToString())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HostBitsSet_ErrorSuggestsTheAddress()
    {
        var error = Assert.Throws<Postern.Tproxy.TproxyException>(() => SteeringRule.Parse("to=10.0.0.2/24,port=80,proxy-port=1"));

        Assert.Contains("did you mean 10.0.0.2/32, or 10.0.0.0/24?", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ControlCharacters_DoNotBreakTheErrorLine()
    {
        var error = Assert.Throws<Postern.Tproxy.TproxyException>(() => SteeringRule.Parse("port=80\nx,proxy-port=1"));

        Assert.Contains("'port=80?x,proxy-port=1'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void AnyValidRule_IsReadBackEqual()
    {
        var prefix = Gen.OneOf(
            Gen.Constant<IPNetwork?>(null),
            Gen.Choose(int.MinValue, int.MaxValue).SelectMany(bits => Gen.Choose(0, 32).Select(length => Prefix(BitConverter.GetBytes(bits), length))),
            Gen.Choose(int.MinValue, int.MaxValue).SelectMany(bits => Gen.Choose(0, 128).Select(length =>
                Prefix([0x20, .. BitConverter.GetBytes(bits), .. BitConverter.GetBytes(~bits), .. BitConverter.GetBytes(bits * 31), 1, 2, 3], length))));
        var rules =
            from to in prefix
            from source in prefix
            from first in Gen.Choose(1, 65535)
            from span in Gen.Choose(0, 65535 - first)
            from link in Gen.Elements(null, "eth0", "lxc+", "a-b.c_d", "x")
            from proxy in Gen.Choose(1, 65535)
            from protocol in Gen.Elements(SteeringProtocol.Tcp, SteeringProtocol.Udp)
            where to is null || source is null || to.Value.BaseAddress.AddressFamily == source.Value.BaseAddress.AddressFamily
            select new SteeringRule(to, source, (ushort)first, (ushort)(first + span), link, (ushort)proxy, protocol);

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(rules.ToArbitrary(), rule => SteeringRule.Parse(rule.ToString()).Equals(rule)));
    }

    [Fact]
    public void AnyText_IsRefusedOrReadBackEqual()
    {
        // Seeded, so that a failure comes again.
        var random = new Random(2004);
        var accepted = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var text = i % 2 == 0
                ? string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => Pieces[random.Next(Pieces.Length)]))
                : Mutate("to=10.0.0.2/32,port=80-90,from=10.0.1.0/24,in=eth0,proto=udp,proxy-port=15001", random);
            SteeringRule rule;
            try
            {
                rule = SteeringRule.Parse(text);
            }
            catch (Postern.Tproxy.TproxyException)
            {
                continue;
            }

            accepted++;
            Assert.Equal(rule, SteeringRule.Parse(rule.ToString()));
            var script = IptablesText.Install(IpFamily.V4, [rule], IPAddress.Loopback, ReturnPath.SocketMatch, AnswerRules.Told, OlderConnections.Cut, string.Empty);
            Assert.True(script.Split('\n').Length <= 17, script);
        }

        Assert.InRange(accepted, 100, 19_000);
    }

    private static string Mutate(string text, Random random)
    {
        var chars = text.ToCharArray();
        chars[random.Next(chars.Length)] = (char)random.Next(1, 127);
        return new string(chars);
    }

    private static IPNetwork? Prefix(byte[] address, int length)
    {
        for (var bit = length; bit < address.Length * 8; bit++)
        {
            address[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        var ip = new IPAddress(address);
        return ip.IsIPv4MappedToIPv6 ? null : new IPNetwork(ip, length);
    }
}
