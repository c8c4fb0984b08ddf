using System;
using System.Collections.Generic;
using System.Net;
using Postern.Policy;
using Postern.Policy.Config;

namespace Postern.Tests.Policy;

public sealed class IdentityMapTests
{
    private static IdentityMap Map(params string[] hosts) => IdentityMap.Compile([new NetworkPolicyHostsConfig(11, EquatableList.Create<string>(hosts))]);

    [Theory]
    [InlineData("1.2.3", "Invalid host entry '1.2.3' for policy 11")]
    [InlineData("01.2.3.4", "Invalid host entry '01.2.3.4' for policy 11")]
    [InlineData("1.2.3.256", "Invalid host entry '1.2.3.256' for policy 11")]
    [InlineData("1.2.3.4.5", "Invalid host entry '1.2.3.4.5' for policy 11")]
    [InlineData("[::1]", "Invalid host entry '[::1]' for policy 11")]
    [InlineData("fe80::1%eth0", "Invalid host entry 'fe80::1%eth0' for policy 11")]
    [InlineData("1:::2", "Invalid host entry '1:::2' for policy 11")]
    [InlineData("1:2:3:4:5:6:7:8:9", "Invalid host entry '1:2:3:4:5:6:7:8:9' for policy 11")]
    [InlineData("1::2::3", "Invalid host entry '1::2::3' for policy 11")]
    [InlineData("", "Invalid host entry '' for policy 11")]
    [InlineData("1.2.3.4/08", "Invalid prefix length in '1.2.3.4/08'")]
    [InlineData("1.2.3.4/", "Invalid prefix length in '1.2.3.4/'")]
    [InlineData("1.2.3.4/+8", "Invalid prefix length in '1.2.3.4/+8'")]
    [InlineData("1.2.3.4/33", "Invalid prefix length in '1.2.3.4/33'")]
    [InlineData("::/129", "Invalid prefix length in '::/129'")]
    [InlineData("10.0.0.1/8", "Non-prefix bits set in '10.0.0.1/8'")]
    public void BadEntries_AreRefusedWithCiliumsText(string host, string message) =>
        Assert.Equal("NetworkPolicyHosts: " + message, Assert.Throws<PolicyConfigException>(() => Map(host)).Message);

    [Fact]
    public void SamePrefixTwice_NamesTheHolder()
    {
        var error = Assert.Throws<PolicyConfigException>(() => IdentityMap.Compile(
            [new NetworkPolicyHostsConfig(1, ["10.0.0.0/8"]), new NetworkPolicyHostsConfig(2, ["10.0.0.0/9", "10.0.0.0/8"])]));
        Assert.Equal("NetworkPolicyHosts: Duplicate host entry '10.0.0.0/8' for policy 2, already mapped to 2", error.Message);
    }

    [Fact]
    public void MappedAddress_IsLookedUpAsIPv4() => Assert.Equal(11u, Map("10.0.0.0/8").Find(IPAddress.Parse("::ffff:10.1.1.1")));

    [Fact]
    public void NobodysAddress_IsUnknown() => Assert.Equal(Identities.Unknown, IdentityMap.Empty.Find(IPAddress.Loopback));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RandomPrefixes_FindTheLongest(bool v6)
    {
        var random = new Random(3);
        var width = v6 ? 128 : 32;
        for (var round = 0; round < 200; round++)
        {
            var entries = new Dictionary<string, (byte[] Bytes, int Length, uint Identity)>();
            var resources = new List<NetworkPolicyHostsConfig>();
            for (uint identity = 1; identity < 20; identity++)
            {
                var length = random.Next(0, width + 1);
                var bytes = Bytes(random, width);
                for (var bit = length; bit < width; bit++)
                {
                    bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
                }
                var text = $"{new IPAddress(bytes)}/{length}";
                if (!(v6 && new IPAddress(bytes).IsIPv4MappedToIPv6) && entries.TryAdd(text, (bytes, length, identity)))
                {
                    resources.Add(new NetworkPolicyHostsConfig(identity, [text]));
                }
            }
            var map = IdentityMap.Compile(resources);
            for (var probe = 0; probe < 50; probe++)
            {
                var address = Bytes(random, width);
                var best = -1;
                uint expected = 0;
                foreach (var (bytes, length, identity) in entries.Values)
                {
                    if (length > best && Covers(bytes, length, address))
                    {
                        (best, expected) = (length, identity);
                    }
                }
                Assert.Equal(expected, map.Find(new IPAddress(address)));
            }
        }
    }

    private static byte[] Bytes(Random random, int width)
    {
        var bytes = new byte[width / 8];
        bytes[0] = (byte)(random.Next(4) * 64); // few values, so that prefixes nest
        bytes[1] = (byte)random.Next(2);
        return bytes;
    }

    private static bool Covers(byte[] prefix, int length, byte[] address)
    {
        for (var bit = 0; bit < length; bit++)
        {
            if (((prefix[bit / 8] ^ address[bit / 8]) & (0x80 >> (bit % 8))) != 0)
            {
                return false;
            }
        }
        return true;
    }
}
