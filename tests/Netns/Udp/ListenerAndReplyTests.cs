using System;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Netns.Fixture;
using Postern.Tproxy.Udp;

namespace Postern.Tests.Netns.Udp;

/// <summary>Datagrams that TPROXY brings, and replies that the client takes for the server's.</summary>
public sealed class ListenerAndReplyTests : IDisposable
{
    private readonly UdpRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [NetnsTheory]
    [InlineData("v4")]
    [InlineData("v6")]
    public void SteeredDatagram_OriginalDestinationIsTold_AndReplyComesFromIt(string family)
    {
        using var sender = _rig.Sender(family);
        var seen = string.Empty;
        using var receiver = _rig.Receive(_rig.Listen(family), new DatagramBatch(), (batch, count) =>
        {
            seen = $"{count} {batch.Source(0)} {batch.OriginalDestination(0)} {Encoding.ASCII.GetString(batch.Payload(0))}";
            sender.Send(batch.OriginalDestination(0), batch.Source(0), "pong"u8);
        });
        using var client = _rig.Ask(family);

        client.Send("ping"u8);

        var buffer = new byte[64];
        Assert.Equal("pong", Encoding.ASCII.GetString(buffer, 0, client.Receive(buffer)));
        Assert.Equal($"1 {client.LocalEndPoint} {client.RemoteEndPoint} ping", seen);
        Assert.Equal(1, receiver.Counters.Received);
        Wait.Until(() => sender.Counters.Sent == 1, () => $"{sender.Counters.Sent} sent");
    }

    [NetnsTheory]
    [InlineData("v4", 0)]
    [InlineData("v4", 1472)]
    [InlineData("v4", 4096)]
    [InlineData("v4", 60_000)]
    [InlineData("v4", 65_507)]
    [InlineData("v6", 0)]
    [InlineData("v6", 1453)]
    [InlineData("v6", 4096)]
    [InlineData("v6", 60_000)]
    [InlineData("v6", 65_527)]
    public void PayloadOfAnySize_ComesBackWhole(string family, int size)
    {
        using var sender = _rig.Sender(family);
        using var receiver = _rig.Receive(_rig.Listen(family, 1 << 20), new DatagramBatch(2), (batch, count) =>
        {
            var payload = new byte[size];
            new Random(size).NextBytes(payload);
            sender.Send(batch.OriginalDestination(0), batch.Source(0), payload);
        });
        using var client = _rig.Ask(family);

        client.Send("ping"u8);

        var buffer = new byte[65_536];
        var wanted = new byte[size];
        new Random(size).NextBytes(wanted);
        var count = client.Receive(buffer);
        Assert.True(wanted.AsSpan().SequenceEqual(buffer.AsSpan(0, count)), $"{count} bytes, not the {size} sent");
        // The client's kernel counts checksums that do not fit.
        var counter = family == "v6" ? "/^Udp6InCsumErrors/ {print $2}" : "/^Udp: [0-9]/ {print $8}";
        Assert.Equal("0", _rig.Net.Client.Run("awk", counter, family == "v6" ? "/proc/net/snmp6" : "/proc/net/snmp").OrThrow().Trim());
    }

    [NetnsFact]
    public void WaitingDatagrams_ComeInOneCall()
    {
        using var listener = _rig.Listen("v4");
        using var client = _rig.Ask("v4");
        for (var i = 0; i < 64; i++)
        {
            client.Send([(byte)i]);
        }

        var batch = new DatagramBatch(65, 512);
        Wait.Until(() => Queued() == 64, () => $"{Queued()} came");

        Assert.Equal(64, batch.Receive(listener));
        Assert.Equal(Enumerable.Range(0, 64), Enumerable.Range(0, 64).Select(i => (int)batch.Payload(i)[0]));
        Assert.False(batch.Full);
        Assert.Equal(0, batch.Receive(listener));

        // Packets that the node's kernel has handed to its own sockets.
        int Queued() => int.Parse(_rig.Net.Node.Run("awk", "/^Ip: [0-9]/ {print $10}", "/proc/net/snmp").OrThrow());
    }

    [NetnsTheory]
    [InlineData("v4")]
    [InlineData("v6")]
    public void RepliesInOneCall_AllArrive(string family)
    {
        using var sender = _rig.Sender(family, 4 << 20);
        using var client = _rig.Ask(family);
        var batch = new ReplyBatch(sender.Family, 64, 512);
        var source = DatagramAddress.From((IPEndPoint)client.RemoteEndPoint!);
        var to = DatagramAddress.From((IPEndPoint)client.LocalEndPoint!);
        for (var i = 0; i < 64; i++)
        {
            Assert.Equal(ReplyFault.None, batch.Add(source, to, [(byte)i]));
        }

        Assert.Equal(ReplyFault.BatchFull, batch.Add(source, to, [64]));
        Assert.Equal(64, sender.Send(batch));

        var buffer = new byte[16];
        for (var i = 0; i < 64; i++)
        {
            Assert.Equal(1, client.Receive(buffer));
            Assert.Equal(i, buffer[0]);
        }
    }

    [NetnsFact]
    public void ReplyThatCannotGo_IsReportedAndTheRestGoes()
    {
        using var sender = _rig.Sender("v4");
        using var client = _rig.Ask("v4");
        _rig.Net.Node.Run("iptables", "-A OUTPUT -p udp --sport 54 -j DROP".Split(' ')).OrThrow();
        _rig.Net.Node.Ip("route add unreachable 10.99.0.0/16");
        var batch = new ReplyBatch(AddressFamily.InterNetwork, 8, 512);
        var to = DatagramAddress.From((IPEndPoint)client.LocalEndPoint!);
        var source = DatagramAddress.From((IPEndPoint)client.RemoteEndPoint!);
        batch.Add(source, to, [1]);
        batch.Add(DatagramAddress.From(IPEndPoint.Parse("10.71.2.2:54")), to, [2]);
        batch.Add(source, DatagramAddress.From(IPEndPoint.Parse("10.99.1.1:9")), [3]);
        batch.Add(DatagramAddress.From(IPEndPoint.Parse("224.0.0.1:53")), to, [4]);
        batch.Add(source, to, [5]);

        Assert.Equal(2, sender.Send(batch));

        Assert.Equal([ReplyFault.None, ReplyFault.Denied, ReplyFault.Unreachable, ReplyFault.Invalid, ReplyFault.None], Enumerable.Range(0, 5).Select(batch.Outcome));
        Assert.Equal((2, 3, 1), (sender.Counters.Sent, sender.Counters.Failed, sender.Counters.Of(ReplyFault.Denied)));
        var buffer = new byte[16];
        client.Receive(buffer);
        Assert.Equal(1, buffer[0]);
        client.Receive(buffer);
        Assert.Equal(5, buffer[0]);
    }

    [NetnsFact]
    public void FullSendBuffer_TheRestIsCountedAndNothingBlocks()
    {
        using var sender = _rig.Sender("v4", 1);
        using var client = _rig.Ask("v4");
        // A slow device holds what was sent in its queue, so that the socket stays charged for it.
        _rig.Net.Node.Run("tc", "qdisc", "add", "dev", NodeTopology.ClientSide, "root", "tbf", "rate", "8kbit", "burst", "2000", "limit", "1000000").OrThrow();
        var batch = new ReplyBatch(AddressFamily.InterNetwork, 64, 1400);
        for (var i = 0; i < 64; i++)
        {
            batch.Add(DatagramAddress.From((IPEndPoint)client.RemoteEndPoint!), DatagramAddress.From((IPEndPoint)client.LocalEndPoint!), new byte[1400]);
        }

        var sent = sender.Send(batch);

        Assert.InRange(sent, 1, 63);
        Assert.Equal(64 - sent, sender.Counters.Of(ReplyFault.BufferFull));
        Assert.Equal(ReplyFault.BufferFull, batch.Outcome(63));
    }

    [NetnsTheory]
    [InlineData("v4")]
    [InlineData("v6")]
    public void SenderOnly_KeepsNothingOfWhatOthersGet(string family)
    {
        using var sender = _rig.Sender(family);
        using var echo = _rig.Echo(family, sender);
        using var client = _rig.Ask(family);
        var buffer = new byte[16];
        for (var i = 0; i < 20; i++)
        {
            client.Send("ping"u8);
            Assert.Equal(4, client.Receive(buffer));
        }

        // To loopback as well, which is where the raw socket is bound.
        using var local = _rig.Net.Node.Inside(() => new Socket(sender.Family, SocketType.Dgram, ProtocolType.Udp));
        local.SendTo("ping"u8, new IPEndPoint(UdpRig.Loopback(family), UdpRig.ProxyPort));
        Wait.Until(() => echo.Counters.Received == 21, () => $"{echo.Counters.Received} received");

        var table = _rig.Net.Node.Run("cat", family == "v6" ? "/proc/net/raw6" : "/proc/net/raw").Output;
        var row = Assert.Single(table.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1));
        Assert.EndsWith(":00000000", row.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4], StringComparison.Ordinal);
    }
}
