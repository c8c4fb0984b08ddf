using System;
using System.Net;
using System.Net.Sockets;
using Postern.Netns.Fixture;
using Postern.Tproxy.Bpf;

namespace Postern.Tests.Netns.Bpf;

/// <summary>Which ICMP errors postern_ingress takes for the proxy's: those that quote a packet of a socket here.</summary>
public sealed class ErrorTests(SharedProgram program) : IClassFixture<SharedProgram>
{
    private const string Server = "10.0.2.2";
    private const string Server6 = "fd71:2::2";
    private const string Router = "10.0.3.3";
    private const string Router6 = "fd71:3::3";
    private const ushort Port = 53;
    private const uint ToProxy = 0x5678_0200;
    private const int Quoted = 14 + 20 + 8; // where the quoted packet begins
    private ProgramRig Rig { get; } = program.Fresh();

    [NetnsTheory]
    [InlineData(3, true)]
    [InlineData(11, true)]
    [InlineData(12, true)]
    [InlineData(0, false)]
    [InlineData(5, false)] // redirect
    [InlineData(8, false)]
    public void Error_IsReturnedByItsType(byte type, bool returned)
    {
        using var socket = Bound("127.0.0.1", out var port);

        Expect(returned, Error(type, Router, "127.0.0.1", Frame.OfUdp("127.0.0.1", port, Server, Port)));
    }

    [NetnsTheory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    [InlineData(5, false)]
    [InlineData(129, false)]
    [InlineData(135, false)] // neighbour solicitation
    public void Error6_IsReturnedByItsType(byte type, bool returned)
    {
        using var socket = Bound("::1", out var port);

        Expect(returned, Error(type, Router6, "::1", Frame.OfUdp("::1", port, Server6, Port)));
    }

    [NetnsFact]
    public void NobodySentIt_Passes()
    {
        using var socket = Bound("127.0.0.1", out var port);

        Expect(false, Error(3, Router, "127.0.0.1", Frame.OfTcp("127.0.0.1", port, Server, Port)));
        Expect(false, Error(3, Router, "127.0.0.2", Frame.OfUdp("127.0.0.2", port, Server, Port)));
    }

    [NetnsFact]
    public void ListenerAlone_HasSentNothing()
    {
        using var listener = Rig.Listen("127.0.0.1", 5053);

        Expect(false, Error(3, Router, "127.0.0.1", Frame.OfTcp("127.0.0.1", 5053, Server, Port)));
    }

    [NetnsFact]
    public void AddressesWithoutRules_Pass()
    {
        using var socket = Bound("127.0.0.1", out var port);

        Expect(false, Error(3, Router, "127.0.0.1", Frame.OfUdp("127.0.0.1", port, "10.0.9.9", Port)));
    }

    [NetnsFact]
    public void GoesToAnotherThanWhoSentTheQuoted_Passes()
    {
        using var socket = Bound("127.0.0.1", out var port);

        Expect(false, Error(3, Router, "127.0.0.9", Frame.OfUdp("127.0.0.1", port, Server, Port)));
    }

    [NetnsFact]
    public void QuoteCutOffAnywhere_Passes()
    {
        using var socket = Bound("127.0.0.1", out var port);
        var quoted = Frame.OfUdp("127.0.0.1", port, Server, Port);

        for (var length = 14; length < quoted.Length; length++)
        {
            Expect(false, Error(3, Router, "127.0.0.1", quoted[..length]));
        }
    }

    [NetnsTheory]
    [InlineData(0, 0x65)] // version
    [InlineData(0, 0x44)] // header length
    [InlineData(7, 1)] // a fragment behind the first
    [InlineData(9, 47)] // protocol
    public void QuoteThatTheStackWouldNotRead_Passes(int at, byte value)
    {
        using var socket = Bound("127.0.0.1", out var port);
        var frame = Error(3, Router, "127.0.0.1", Frame.OfUdp("127.0.0.1", port, Server, Port));
        frame[Quoted + at] = value;

        Expect(false, frame);
    }

    /// <param name="type">Of ICMP or, by the address, ICMPv6.</param>
    /// <param name="from">Who found it.</param>
    /// <param name="to">Who is told.</param>
    /// <param name="quoted">With its Ethernet header, which is left out.</param>
    private static byte[] Error(byte type, string from, string to, byte[] quoted) =>
        Frame.Ip(from, to, from.Contains(':', StringComparison.Ordinal) ? (byte)58 : (byte)1, [type, 0, 0, 0, 0, 0, 0, 0, .. quoted.AsSpan(14)]);

    private Socket Bound(string address, out ushort port)
    {
        var socket = Rig.Inside(() =>
        {
            var made = new Socket(IPAddress.Parse(address).AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            made.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
            return made;
        });
        port = (ushort)((IPEndPoint)socket.LocalEndPoint!).Port;
        return socket;
    }

    private void Expect(bool returned, byte[] frame)
    {
        Rig.Reset();
        HandWrittenSet.To(frame[12] == 8 ? Server : Server6, Port, 15001).Write(Rig.Maps);

        var trial = Rig.Ingress(frame, mark: 0x5678_0000);

        Assert.Equal(returned ? (Trial.Steered, ToProxy, "ErrorReturned=1") : (Trial.Pass, 0x5678_0000u, "OtherProtocol=1"), (trial.Answer, trial.Mark, Rig.Counted()));
    }
}
