using System.Linq;
using System.Net;
using Postern.Tproxy;

namespace Postern.Tests.Tproxy;

public sealed class LoopGuardTests
{
    private static readonly IPAddress[] Host = [IPAddress.Parse("192.0.2.1"), IPAddress.Parse("2001:db8::1"), IPAddress.Parse("fe80::1%3")];

    [Theory]
    // Bound to one address: only that address and port is the listener's own.
    [InlineData("127.0.0.1:15001", "10.0.0.2:80", LoopVerdict.Clear)]
    [InlineData("127.0.0.1:15001", "10.0.0.2:15001", LoopVerdict.Clear)]
    [InlineData("127.0.0.1:15001", "127.0.0.1:15001", LoopVerdict.AddressedListener)]
    [InlineData("127.0.0.1:15001", "127.0.0.1:80", LoopVerdict.Clear)]
    [InlineData("127.0.0.1:15001", "[::ffff:127.0.0.1]:15001", LoopVerdict.AddressedListener)]
    [InlineData("[::1]:15001", "[::1]:15001", LoopVerdict.AddressedListener)]
    // Bound to all: any address of this host on that port.
    [InlineData("0.0.0.0:15001", "192.0.2.1:15001", LoopVerdict.AddressedListener)]
    [InlineData("0.0.0.0:15001", "127.9.9.9:15001", LoopVerdict.AddressedListener)]
    [InlineData("0.0.0.0:15001", "192.0.2.2:15001", LoopVerdict.Clear)]
    [InlineData("0.0.0.0:15001", "192.0.2.1:80", LoopVerdict.Clear)]
    [InlineData("[::]:15001", "[2001:db8::1]:15001", LoopVerdict.AddressedListener)]
    [InlineData("[::]:15001", "[fe80::1]:15001", LoopVerdict.AddressedListener)]
    [InlineData("[::]:15001", "192.0.2.1:15001", LoopVerdict.Clear)]
    public void AcceptedConnection_IsJudgedByItsOriginalDestination(string bound, string original, LoopVerdict verdict) =>
        Assert.Equal(verdict, new LoopGuard([], Host).Accepted(IPEndPoint.Parse(original), IPEndPoint.Parse(bound)));

    [Theory]
    [InlineData("127.0.0.1:15001", LoopVerdict.ConnectsToItself)]
    [InlineData("0.0.0.0:15001", LoopVerdict.ConnectsToItself)]
    [InlineData("192.0.2.1:15002", LoopVerdict.ConnectsToItself)]
    [InlineData("0.0.0.0:15002", LoopVerdict.ConnectsToItself)]
    [InlineData("[::ffff:192.0.2.1]:15002", LoopVerdict.ConnectsToItself)]
    [InlineData("192.0.2.1:15001", LoopVerdict.Clear)]
    [InlineData("192.0.2.9:15002", LoopVerdict.Clear)]
    [InlineData("[::1]:15001", LoopVerdict.Clear)]
    public void Destination_IsJudgedAgainstAllListeners(string destination, LoopVerdict verdict)
    {
        var guard = new LoopGuard(new[] { "127.0.0.1:15001", "0.0.0.0:15002" }.Select(IPEndPoint.Parse), Host);

        Assert.Equal(verdict, guard.Connecting(IPEndPoint.Parse(destination)));
    }

    [Fact]
    public void HostAddresses_HoldLoopback() => Assert.Contains(IPAddress.Loopback, HostAddresses.Read());
}
