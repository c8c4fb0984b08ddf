using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using FsCheck;
using FsCheck.Fluent;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Tproxy.Bpf;

/// <summary>The compiled form decides every packet as the ordered list does, seen through <see cref="ProgramMirror"/>.</summary>
public sealed class SteeringCompilerPropertyTests
{
    private static readonly Dictionary<string, uint[]> Devices = new() { ["eth0"] = [2], ["c+"] = [7, 9, 300], ["gone"] = [] };

    // Few and nested, so that rules meet one another.
    private static readonly string[] Prefixes4 = ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.4/30", "10.1.2.5/32", "10.1.2.6/32", "10.2.0.9/32", "255.255.255.255/32", "128.0.0.0/1", "::ffff:10.1.2.7/128", "::ffff:10.2.0.0/112"];
    private static readonly string[] Prefixes6 = ["::/0", "fd00::/8", "fd00:1::/32", "fd00:1:2::/64", "fd00:1:2::4/127", "fd00:1:2::5/128", "fd00:1:2::6/128", "::1/128", "8000::/1", "fd00:1:2::/33"];
    private static readonly int[] Ports = [1, 2, 3, 79, 80, 81, 90, 127, 128, 255, 256, 1023, 1024, 8080, 32767, 32768, 65534, 65535];

    [Fact]
    public void AnyPacket_IsDecidedAsTheListDecides()
    {
        var packets = 0;
        var hits = 0;
        var draining = 0;
        var cases =
            from inForce in Rule().ListOf()
            from old in Rule().ListOf()
            from seed in Gen.Choose(0, int.MaxValue)
            select (Rules: inForce.ToArray(), Draining: old.Take(6).ToArray(), Seed: seed);
        var shrinking = Arb.From(cases, Shrink);

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(700).WithStartSize(1).WithEndSize(24), Prop.ForAll(shrinking, sample =>
        {
            var set = SteeringCompiler.Compile(sample.Rules, sample.Draining, name => Devices[name]);
            var mirror = new ProgramMirror(set);
            var list = sample.Rules.Concat(sample.Draining).ToArray();
            var random = new Random(sample.Seed);
            for (var i = 0; i < 60; i++)
            {
                var packet = Draw(list, random);
                var first = packet.First(list, Devices);
                var hit = mirror.Decide(packet);
                packets++;
                hits += first is null ? 0 : 1;
                draining += hit is { Flags: not 0 } ? 1 : 0;
                var wanted = first is { } index ? $"{list[index].ProxyPort} {(index >= sample.Rules.Length ? 1 : 0)}" : "none";
                var got = hit is { } found ? $"{found.ProxyPort} {found.Flags}" : "none";
                if (wanted != got)
                {
                    return false.Label($"{packet}: the list says {wanted}, the maps {got}, of\n{string.Join('\n', list.Select(rule => rule.Protocol + " " + rule))}");
                }
            }

            return true.ToProperty();
        }));

        // All kinds of outcome were among them.
        Assert.InRange(packets, 40_000, int.MaxValue);
        Assert.InRange(hits, packets / 5, packets - (packets / 20));
        Assert.InRange(draining, packets / 100, packets);
    }

    private static IEnumerable<(SteeringRule[] Rules, SteeringRule[] Draining, int Seed)> Shrink((SteeringRule[] Rules, SteeringRule[] Draining, int Seed) sample)
    {
        for (var i = 0; i < sample.Rules.Length; i++)
        {
            yield return sample with { Rules = [.. sample.Rules[..i], .. sample.Rules[(i + 1)..]] };
        }

        for (var i = 0; i < sample.Draining.Length; i++)
        {
            yield return sample with { Draining = [.. sample.Draining[..i], .. sample.Draining[(i + 1)..]] };
        }
    }

    private static Gen<SteeringRule> Rule() =>
        from version in Gen.Elements(Prefixes4, Prefixes6)
        from to in Gen.Frequency((1, Gen.Constant<string?>(null)), (2, Gen.Elements(version)))
        from source in Gen.Frequency((1, Gen.Constant<string?>(null)), (1, Gen.Elements(version)))
        from a in Gen.Elements(Ports)
        from b in Gen.Elements(Ports)
        from ports in Gen.Elements((a, a), (Math.Min(a, b), Math.Max(a, b)), (1, 65535))
        from link in Gen.Frequency((6, Gen.Constant<string?>(null)), (1, Gen.Elements<string?>("eth0", "c+", "gone")))
        from protocol in Gen.Elements(SteeringProtocol.Tcp, SteeringProtocol.Tcp, SteeringProtocol.Udp)
        from proxy in Gen.Choose(1, 65535)
        select new SteeringRule(Net(to), Net(source), (ushort)ports.Item1, (ushort)ports.Item2, link, (ushort)proxy, protocol);

    private static IPNetwork? Net(string? text) => text is null ? null : IPNetwork.Parse(text);

    /// <summary>At the edges of some rule, mostly: its ports and addresses, and those beside.</summary>
    private static Packet Draw(SteeringRule[] rules, Random random)
    {
        var rule = rules.Length > 0 ? rules[random.Next(rules.Length)] : null;
        var prefixes = (rule?.Destination ?? rule?.Source) is { } net
            ? (net.BaseAddress.AddressFamily == AddressFamily.InterNetwork || net.BaseAddress.IsIPv4MappedToIPv6 ? Prefixes4 : Prefixes6)
            : (random.Next(2) == 0 ? Prefixes4 : Prefixes6);
        var port = rule is not null && random.Next(8) > 0
            ? (random.Next(2) == 0 ? rule.DestinationPort : rule.DestinationPortEnd) + random.Next(3) - 1
            : random.Next(65536);
        return new(
            random.Next(3) == 0 ? 1u : new uint[] { 2, 7, 9, 300 }[random.Next(4)],
            Address(rule?.Source, prefixes, random),
            Address(rule?.Destination, prefixes, random),
            rule is not null && random.Next(8) > 0 ? rule.Protocol : SteeringProtocol.Udp,
            (ushort)Math.Clamp(port, 0, 65535));
    }

    private static IPAddress Address(IPNetwork? prefix, string[] others, Random random)
    {
        var net = prefix is { } own && random.Next(4) > 0 ? own : IPNetwork.Parse(others[random.Next(others.Length)]);
        var bytes = net.BaseAddress.GetAddressBytes();
        var ones = random.Next(3); // the net's first address, its last one, or any
        for (var bit = net.PrefixLength; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] |= (byte)(ones == 1 || (ones == 2 && random.Next(2) == 0) ? 0x80 >> (bit % 8) : 0);
        }

        if (random.Next(6) == 0)
        {
            bytes[^1] ^= 1; // the one beside
        }

        var address = new IPAddress(bytes);
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }
}
