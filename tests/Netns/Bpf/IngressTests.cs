using System;
using System.Net.Sockets;
using Postern.Netns.Fixture;
using Postern.Tproxy.Bpf;

namespace Postern.Tests.Netns.Bpf;

/// <summary>What postern_ingress does with single crafted packets. A trial run cannot give a packet to a socket: the kernel does that at a device's ingress only.</summary>
public sealed class IngressTests(SharedProgram program) : IClassFixture<SharedProgram>
{
    private const string Client = "10.0.1.2";
    private const string Server = "10.0.2.2";
    private const string Client6 = "fd71:1::2";
    private const string Server6 = "fd71:2::2";
    private const ushort Port = 80;
    private const ushort ProxyPort = 15001;
    private const ushort MoreFragments = 0x2000;
    private ProgramRig Rig { get; } = program.Fresh();

    [NetnsFact]
    public void NewProgram_PassesAll()
    {
        Assert.Equal(Trial.Pass, Rig.Ingress(Frame.OfTcp(Client, 4000, Server, Port)).Answer);
        Assert.Equal(Trial.Pass, Rig.Ingress(Frame.OfUdp(Client6, 4000, Server6, Port)).Answer);
        Assert.Empty(Rig.Counted());
    }

    [NetnsFact]
    public void Arp_Passes() => Expect(Trial.Pass, "NotIp=1", Frame.Ethernet(0x0806, new byte[28]));

    [NetnsFact]
    public void TagWithAnId_Passes() => Expect(Trial.Pass, "VlanPassed=1", Frame.Ethernet(0x8100, 0, 5, 8, 0));

    [NetnsFact]
    public void PriorityTagBehindAnother_IsDropped() =>
        Expect(Trial.Dropped, "Truncated=1", Frame.Ethernet(0x8100, [0xe0, 0, 8, 0, .. Frame.OfTcp(Client, 4000, Server, Port).AsSpan(14)]));

    [NetnsFact]
    public void TagCutOff_IsDropped() => Expect(Trial.Dropped, "Truncated=1", Frame.Ethernet(0x8100, 0));

    [NetnsFact]
    public void OtherLinkLayerAddress_Passes()
    {
        var frame = Frame.OfTcp(Client, 4000, Server, Port);
        frame[0] = 2;
        Expect(Trial.Pass, string.Empty, frame);
    }

    [NetnsTheory]
    [InlineData(0xa00, "FromProxy=1")]
    [InlineData(0x5678_0b12, "FromProxy=1")]
    [InlineData(0x200, "NoListener=1")]
    [InlineData(0xc00, "NoListener=1")]
    public void Mark_ExemptsTheProxyAlone(uint mark, string counted)
    {
        HandWrittenSet.To(Server, Port, ProxyPort).Write(Rig.Maps);

        var trial = Rig.Ingress(Frame.OfTcp(Client, 4000, Server, Port), mark);

        Assert.Equal((counted, mark), (Rig.Counted(), trial.Mark));
    }

    [NetnsFact]
    public void Ping_Passes() => Expect(Trial.Pass, "OtherProtocol=1", Frame.Ip(Client, Server, 1, new byte[8]));

    [NetnsFact]
    public void Ping6_Passes() => Expect(Trial.Pass, "OtherProtocol=1", Frame.Ip(Client6, Server6, 58, new byte[8]));

    // The kernel refuses trial runs of less than an IP header.
    [NetnsTheory]
    [InlineData(Client, Server, 34)]
    [InlineData(Client6, Server6, 54)]
    public void Header_CutOffAnywhere_IsDropped(string from, string to, int shortest)
    {
        var whole = Frame.OfTcp(from, 4000, to, Port);
        for (var length = shortest; length < whole.Length; length++)
        {
            var answer = Rig.Ingress(whole[..length]).Answer;
            Assert.True(answer == Trial.Dropped, $"{length} of {whole.Length} bytes: {answer}");
        }

        Assert.Equal($"Truncated={whole.Length - shortest}", Rig.Counted());
    }

    [NetnsTheory]
    [InlineData(0x44)] // header length
    [InlineData(0x55)] // version
    public void Ipv4Header_ThatTheStackWouldDrop_IsDropped(byte first)
    {
        var frame = Frame.OfTcp(Client, 4000, Server, Port);
        frame[14] = first;
        Expect(Trial.Dropped, "Truncated=1", frame);
    }

    // What stands behind the IP length is padding, which the stack cuts off; it must not be taken for a header.
    [NetnsTheory]
    [InlineData(Client, Server, 17)]
    [InlineData(Client6, Server6, 19)]
    public void HeaderBehindTheEndOfIp_IsDropped(string from, string to, int lengthAt)
    {
        var frame = Frame.OfTcp(from, 4000, to, Port);
        frame[lengthAt] -= 4;
        Expect(Trial.Dropped, "Truncated=1", frame);
    }

    [NetnsFact]
    public void OptionsInIpv4_AreReadOver()
    {
        HandWrittenSet.To(Server, Port, ProxyPort).Write(Rig.Maps);
        var plain = Frame.OfTcp(Client, 4000, Server, Port);
        byte[] frame = [.. plain[..34], 1, 1, 1, 0, .. plain[34..]];
        frame[14] = 0x46;
        frame[17] += 4;
        Expect(Trial.Dropped, "NoListener=1", frame);
    }

    [NetnsTheory]
    [InlineData(MoreFragments)]
    [InlineData(MoreFragments | 3)]
    [InlineData(3)]
    public void Fragment_IsDroppedIfARuleMayConcernIt(ushort fragment)
    {
        HandWrittenSet.To(Server, Port, ProxyPort).Write(Rig.Maps);
        var payload = new byte[24];

        Assert.Equal(Trial.Dropped, Rig.Ingress(Frame.Ip(Client, Server, Frame.Tcp, payload, fragment)).Answer);
        Assert.Equal(Trial.Dropped, Rig.Ingress(Frame.Ip(Client, Server, Frame.Udp, payload, fragment)).Answer);
        Assert.Equal(Trial.Pass, Rig.Ingress(Frame.Ip(Server, Client, Frame.Udp, payload, fragment)).Answer);
        Assert.Equal("FragmentDropped=2 FragmentPassed=1", Rig.Counted());
    }

    [NetnsFact]
    public void FragmentOfAProtocolWithoutRules_Passes()
    {
        new HandWrittenSet().Host(Server, 1, SteeringLayout.RoleDestination, HandWrittenSet.OnePort, 0).Rule(Frame.Tcp, 0, 0, 1, Port, 16, 1, ProxyPort).Write(Rig.Maps);
        Expect(Trial.Pass, "FragmentPassed=1", Frame.Ip(Client, Server, Frame.Udp, new byte[24], MoreFragments));
    }

    [NetnsTheory]
    [InlineData(0x0001, "FragmentDropped=1")] // more of them
    [InlineData(0x0008, "FragmentDropped=1")] // an offset
    [InlineData(0x0000, "NoListener=1")] // atomic (RFC 6946): whole
    [InlineData(0x0006, "NoListener=1")] // reserved bits
    public void Fragment6_IsDroppedUnlessWhole(ushort field, string counted)
    {
        HandWrittenSet.To(Server6, Port, ProxyPort).Write(Rig.Maps);
        Expect(Trial.Dropped, counted, Frame.Extended(Client6, Server6, Port, (44, field)));
    }

    [NetnsTheory]
    [InlineData(6, "NoListener=1")]
    [InlineData(7, "ExtensionsDropped=1")]
    public void ExtensionHeaders_AreReadUpToSix(int number, string counted)
    {
        HandWrittenSet.To(Server6, Port, ProxyPort).Write(Rig.Maps);
        var extensions = new (byte, ushort)[number];
        Array.Fill(extensions, ((byte)60, (ushort)0));
        Expect(Trial.Dropped, counted, Frame.Extended(Client6, Server6, Port, extensions));
    }

    [NetnsFact]
    public void TooManyExtensionHeaders_WhereNoRuleIs_Pass()
    {
        HandWrittenSet.To(Server6, Port, ProxyPort).Write(Rig.Maps);
        var extensions = new (byte, ushort)[7];
        Array.Fill(extensions, ((byte)60, (ushort)0));
        Expect(Trial.Pass, string.Empty, Frame.Extended(Server6, Client6, Port, extensions));
    }

    [NetnsFact]
    public void NobodyListens_IsDropped()
    {
        HandWrittenSet.To(Server, Port, ProxyPort).Write(Rig.Maps);

        Assert.Equal(Trial.Dropped, Rig.Ingress(Frame.OfTcp(Client, 4000, Server, Port)).Answer);
        Assert.Equal(Trial.Dropped, Rig.Ingress(Frame.OfUdp(Client, 4000, Server, Port)).Answer);
        Assert.Equal(Trial.Pass, Rig.Ingress(Frame.OfTcp(Client, 4000, Server, Port + 1)).Answer);
        Assert.Equal("NoListener=2", Rig.Counted());
    }

    [NetnsFact]
    public void SocketThatTheKernelRefuses_DropsThePacket()
    {
        HandWrittenSet.To(Server, Port, ProxyPort).Write(Rig.Maps);
        using var listener = Rig.Listen("127.0.0.1", ProxyPort);
        Expect(Trial.Dropped, "AssignFailed=1", Frame.OfTcp(Client, 4000, Server, Port));
    }

    [NetnsFact]
    public void AnswerOfAConnectionThatBeganUnsteered_Passes()
    {
        HandWrittenSet.To(Server, Port, ProxyPort).Write(Rig.Maps);

        // The server's own connection from port 80: its SYN is not steered, the client's answer would be.
        Assert.Equal(Trial.Pass, Rig.Ingress(Frame.OfTcp(Server, Port, Client, 4000)).Answer);
        Assert.Equal(Trial.Pass, Rig.Ingress(Frame.OfTcp(Client, 4000, Server, Port, Frame.Syn | Frame.Ack)).Answer);
        Assert.Equal(Trial.Pass, Rig.Ingress(Frame.OfTcp(Client, 4000, Server, Port, Frame.Ack)).Answer);
        Assert.Equal("AnswerPassed=2", Rig.Counted());

        // A SYN decides anew.
        Assert.Equal(Trial.Dropped, Rig.Ingress(Frame.OfTcp(Client, 4000, Server, Port)).Answer);
    }

    [NetnsTheory]
    [InlineData(0, Trial.Dropped, "NoListener=1")]
    [InlineData(SteeringLayout.StateKeepOlder, Trial.Pass, "OlderPassed=1")]
    public void ConnectionOlderThanTheRules_PassesIfKept(uint flags, int answer, string counted)
    {
        HandWrittenSet.To(Server, Port, ProxyPort).Write(Rig.Maps, flags);
        Expect(answer, counted, Frame.OfTcp(Client, 4000, Server, Port, Frame.Ack));
    }

    [NetnsFact]
    public void ConnectionThatWasSteered_IsNoOlderOne()
    {
        HandWrittenSet.To(Server, Port, ProxyPort).Write(Rig.Maps, SteeringLayout.StateKeepOlder);
        Rig.Maps.Flows.Update(HandWrittenSet.Flow(Client, 4000, Server, Port), HandWrittenSet.Memory(SteeringLayout.FlowSteered));
        Expect(Trial.Dropped, "NoListener=1", Frame.OfTcp(Client, 4000, Server, Port, Frame.Ack));
    }

    [NetnsFact]
    public void RuleThatDrains_SteersNothingNew()
    {
        HandWrittenSet.To(Server, Port, ProxyPort, SteeringLayout.RuleDraining).Write(Rig.Maps);

        Assert.Equal(Trial.Pass, Rig.Ingress(Frame.OfTcp(Client, 4000, Server, Port)).Answer);
        Assert.Equal(Trial.Pass, Rig.Ingress(Frame.OfUdp(Client, 4000, Server, Port)).Answer);
        Assert.Empty(Rig.Counted());
    }

    [NetnsTheory]
    [InlineData("10.0.0.1")]
    [InlineData("fd71:2::2")]
    public void FilterBit_IsTheSameInProgramAndTest(string address)
    {
        HandWrittenSet.To(address, Port, ProxyPort).Write(Rig.Maps);
        Expect(Trial.Dropped, "NoListener=1", Frame.OfTcp(address.Contains(':', StringComparison.Ordinal) ? Client6 : Client, 4000, address, Port));
    }

    private void Expect(int answer, string counted, byte[] frame)
    {
        var trial = Rig.Ingress(frame);
        Assert.Equal((answer, counted), (trial.Answer, Rig.Counted()));
    }
}
