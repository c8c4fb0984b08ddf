using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using Postern.Tproxy;
using Postern.Tproxy.Diagnosis;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Tproxy.Diagnosis;

/// <summary>sock_diag by literal bytes (linux/inet_diag.h), by damaged ones, and by the kernel.</summary>
public sealed class InetDiagTests
{
    // nlmsghdr 104 bytes, type 20, flags 2, sequence 7; inet_diag_msg of a TCP listener 127.0.0.1:10001, uid 1000, inode 4660; MARK 0xb00; SOCKOPT transparent
    private const string Answer =
        "6800000014000200070000000100000002" + "0A0000" + "27110000" + "7F000001000000000000000000000000" + "00000000000000000000000000000000" + "00000000" + "0102030405060708"
        + "00000000" + "00000000" + "80000000" + "E8030000" + "34120000" + "08000F00000B0000" + "060016002200" + "0000";

    private const string Done = "1400000003000200070000000100000000000000";

    [Fact]
    public void Listener_IsReadWithMarkAndTransparency()
    {
        var sockets = new List<ListenerSocket>();
        Assert.False(InetDiag.Read(Convert.FromHexString(Answer), SteeringProtocol.Tcp, 7, sockets));
        Assert.Equal(new ListenerSocket(SteeringProtocol.Tcp, IPEndPoint.Parse("127.0.0.1:10001"), 1000, 0x1234) { Mark = 0xb00, Transparent = true }, Assert.Single(sockets));
        Assert.True(InetDiag.Read(Convert.FromHexString(Done), SteeringProtocol.Tcp, 7, sockets));
    }

    [Fact]
    public void AnswerToAnotherQuestion_IsPassedOver()
    {
        var sockets = new List<ListenerSocket>();
        Assert.False(InetDiag.Read(Convert.FromHexString(Answer), SteeringProtocol.Tcp, 8, sockets));
        Assert.Empty(sockets);
    }

    [Fact]
    public void Refusal_NamesTheModules()
    {
        var error = Assert.Throws<TproxyException>(() => InetDiag.Read(Convert.FromHexString("24000000020000000700000001000000" + "FEFFFFFF" + "48000000140001030700000000000000"), SteeringProtocol.Udp, 7, []));
        Assert.Contains("udp_diag", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CutAnswer_IsRefusedAtEveryByte()
    {
        var whole = Convert.FromHexString(Answer);
        for (var length = 1; length < whole.Length; length++)
        {
            Assert.Throws<TproxyException>(() => InetDiag.Read(whole.AsSpan(0, length), SteeringProtocol.Tcp, 7, []));
        }
    }

    [Fact]
    public void DamagedAnswer_IsReadOrRefusedAndNeverElse()
    {
        var random = new Random(4);
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = Convert.FromHexString(Answer);
            for (var i = random.Next(1, 6); i > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            try
            {
                InetDiag.Read(bytes.AsSpan(0, random.Next(bytes.Length + 1)), SteeringProtocol.Tcp, 7, []);
            }
            catch (TproxyException)
            {
            }
        }
    }

    [Fact]
    public void OwnListener_IsListedWithItsProcess()
    {
        using var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        tcp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        tcp.Listen();
        using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var blind = new List<string>();
        var (tcpPort, udpPort) = (((IPEndPoint)tcp.LocalEndPoint!).Port, ((IPEndPoint)udp.LocalEndPoint!).Port);

        var sockets = ListenerSockets.WithProcesses(ListenerSockets.Read(blind.Add), new HashSet<int> { tcpPort, udpPort });

        Assert.Empty(blind);
        Assert.Contains(sockets, socket => socket.Protocol == SteeringProtocol.Tcp && socket.Local.Port == tcpPort && socket.Transparent == false && socket.Process!.Contains($"(pid {Environment.ProcessId})", StringComparison.Ordinal));
        Assert.Contains(sockets, socket => socket.Protocol == SteeringProtocol.Udp && socket.Local.Port == udpPort && socket.Process!.Contains($"(pid {Environment.ProcessId})", StringComparison.Ordinal));
    }
}
