using System;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Postern.Tproxy.Bpf;

namespace Postern.Tests.Netns.Bpf;

/// <summary>What one run of a program by BPF_PROG_TEST_RUN gave.</summary>
/// <param name="Answer">The verdict for tc.</param>
/// <param name="Mark">The packet's mark behind the program.</param>
/// <param name="Nanoseconds">Average of the repetitions.</param>
internal readonly record struct Trial(int Answer, uint Mark, uint Nanoseconds)
{
    internal const int Pass = -1; // TC_ACT_UNSPEC
    internal const int Steered = 0; // TC_ACT_OK
    internal const int Dropped = 2; // TC_ACT_SHOT

    private const int MarkOffset = 8; // in struct __sk_buff
    private const int CameInByOffset = 36;
    private const int DeviceOffset = 40;

    /// <param name="program">Descriptor.</param>
    /// <param name="frame">With its Ethernet header.</param>
    /// <param name="mark">Of the packet.</param>
    /// <param name="cameInBy">skb->ingress_ifindex.</param>
    /// <param name="device">Interface index, one that exists; 0: lo.</param>
    /// <param name="repeat">Runs.</param>
    internal static unsafe Trial Run(int program, ReadOnlySpan<byte> frame, uint mark = 0, uint cameInBy = 0, uint device = 0, int repeat = 1)
    {
        Span<byte> context = stackalloc byte[44];
        context.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(context[MarkOffset..], mark);
        BinaryPrimitives.WriteUInt32LittleEndian(context[CameInByOffset..], cameInBy);
        BinaryPrimitives.WriteUInt32LittleEndian(context[DeviceOffset..], device);
        Span<byte> after = stackalloc byte[192];
        fixed (byte* data = frame, before = context, behind = after)
        {
            var options = new TestRunOptions
            {
                Size = (nuint)Unsafe.SizeOf<TestRunOptions>(),
                DataIn = (nint)data,
                DataInLength = (uint)frame.Length,
                ContextIn = (nint)before,
                ContextInLength = (uint)context.Length,
                ContextOut = (nint)behind,
                ContextOutLength = (uint)after.Length,
                Repeat = repeat,
            };
            var result = Libbpf.TestRun(program, ref options);
            return result == 0
                ? new Trial((int)options.Answer, BinaryPrimitives.ReadUInt32LittleEndian(after[MarkOffset..]), options.Nanoseconds)
                : throw new InvalidOperationException($"BPF_PROG_TEST_RUN of {frame.Length} bytes: errno {-result}");
        }
    }
}
