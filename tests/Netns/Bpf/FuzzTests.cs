using System;
using System.Buffers.Binary;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Bpf;

/// <summary>Mutated packets under a rule for everything, against a reading of our own: what the stack could take for TCP or UDP never passes.</summary>
public sealed class FuzzTests(SharedProgram program) : IClassFixture<SharedProgram>
{
    private const int Packets = 200_000;
    private const int Shortest = 54; // the kernel refuses trial runs of less than the IP header

    private ProgramRig Rig { get; } = program.Fresh();

    [NetnsFact]
    public void MutatedPacket_PassesOnlyIfItIsNeitherTcpNorUdp()
    {
        new HandWrittenSet()
            .Everybody(HandWrittenSet.AnyPort, HandWrittenSet.AnyPort)
            .Rule(Frame.Tcp, 0, 0, 0, 0, 0, 1, 15001)
            .Rule(Frame.Udp, 0, 0, 0, 0, 0, 1, 15001)
            .Write(Rig.Maps);
        byte[][] seeds =
        [
            Frame.OfTcp("10.0.1.2", 4000, "10.0.2.2", 80),
            [.. Frame.OfUdp("10.0.1.2", 4000, "10.0.2.2", 80), .. new byte[24]],
            Frame.Ip("10.0.1.2", "10.0.2.2", 1, new byte[32]),
            Frame.OfTcp("fd71:1::2", 4000, "fd71:2::2", 80),
            Frame.Extended("fd71:1::2", "fd71:2::2", 80, (0, 0), (60, 0), (44, 0), (43, 0)),
            Frame.Extended("fd71:1::2", "fd71:2::2", 80, (0, 0), (60, 0), (60, 0), (60, 0), (60, 0), (60, 0), (60, 0)),
            Frame.Ethernet(0x8100, new byte[50]),
        ];

        var (passed, complaint) = Rig.Inside(() => Run(seeds));

        Assert.Equal(string.Empty, complaint);
        Assert.InRange(passed, Packets / 20, Packets * 19 / 20);
    }

    private (int Passed, string Complaint) Run(byte[][] seeds)
    {
        var random = new Random(4);
        var passed = 0;
        for (var i = 0; i < Packets; i++)
        {
            var frame = Mutate(seeds[random.Next(seeds.Length)], random);
            var answer = Trial.Run(Rig.Program.Ingress, frame).Answer;
            var expected = MayPass(frame) ? Trial.Pass : Trial.Dropped;
            if (answer != expected)
            {
                return (passed, $"packet {i}: {answer}, not {expected}: {Convert.ToHexString(frame)}");
            }

            passed += answer == Trial.Pass ? 1 : 0;
        }

        return (passed, string.Empty);
    }

    // Link-layer addresses stay: others are none of the stack's business. Half of the mutations hit what decides.
    private static byte[] Mutate(byte[] seed, Random random)
    {
        var frame = seed[..random.Next(Math.Min(Shortest, seed.Length), seed.Length + 1)];
        for (var n = random.Next(5); n > 0; n--)
        {
            var at = random.Next(2) == 0 ? random.Next(12, frame.Length) : 14 + (random.Next(2) == 0 ? random.Next(10) : 40 + (8 * random.Next(6)));
            if (at < frame.Length)
            {
                frame[at] = random.Next(3) switch { 0 => (byte)random.Next(256), 1 => (byte)(frame[at] ^ 1 << random.Next(8)), _ => (ReadOnlySpan<byte>)[0, 6, 17, 43, 44, 58, 60, 255] is var likely ? likely[random.Next(8)] : (byte)0 };
            }
        }

        return frame;
    }

    private static bool MayPass(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) switch
    {
        Frame.V4 => frame[14] >> 4 == 4 && (frame[14] & 15) >= 5 && frame[23] is not (Frame.Tcp or Frame.Udp),
        Frame.V6 => frame[14] >> 4 == 6 && MayPassV6(frame[14..]),
        0x8100 or 0x88a8 => (BinaryPrimitives.ReadUInt16BigEndian(frame[14..]) & 0xfff) != 0,
        _ => true,
    };

    private static bool MayPassV6(ReadOnlySpan<byte> packet)
    {
        var end = 40 + BinaryPrimitives.ReadUInt16BigEndian(packet[4..]);
        if (end == 40 && packet[6] == 0)
        {
            end = int.MaxValue;
        }

        int next = packet[6], at = 40;
        for (var headers = 0; next is 0 or 43 or 44 or 60; headers++)
        {
            if (headers == 6 || at + 8 > end || at + 4 > packet.Length)
            {
                return false;
            }

            var isFragment = next == 44 && (BinaryPrimitives.ReadUInt16BigEndian(packet[(at + 2)..]) & 0xfff9) != 0;
            (next, at) = (packet[at], at + (next == 44 ? 8 : (packet[at + 1] + 1) * 8));
            if (isFragment)
            {
                return next is not (Frame.Tcp or Frame.Udp or 0 or 43 or 44 or 60);
            }
        }

        return next is not (Frame.Tcp or Frame.Udp);
    }
}
