using System;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Postern.Tproxy.Native;

namespace Postern.Tproxy.Udp;

/// <summary>Replies of one family that one sendmmsg(2) takes. Made once and used again; not for several threads at a time.</summary>
public sealed unsafe class ReplyBatch
{
    private readonly byte[] _packets; // header and payload
    private readonly byte[] _names;
    private readonly byte[] _controls;
    private readonly IoVector[] _vectors;
    private readonly MultiMessage[] _messages;
    private readonly ReplyFault[] _faults;
    private readonly int _stride;

    /// <param name="family">IPv4 or IPv6, as the sender's.</param>
    /// <param name="capacity">Replies, 1 to 1024.</param>
    /// <param name="payloadBytes">The longest payload, 1 to 65,527.</param>
    public ReplyBatch(AddressFamily family, int capacity = 32, int payloadBytes = 65_527)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, DatagramBatch.LargestCapacity);
        ArgumentOutOfRangeException.ThrowIfLessThan(payloadBytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payloadBytes, 65_527);
        Family = family;
        Capacity = capacity;
        PayloadBytes = payloadBytes;
        _stride = (ReplyPacket.HeaderBytes + payloadBytes + 7) & ~7;
        _packets = GC.AllocateUninitializedArray<byte>(capacity * _stride, pinned: true);
        _names = GC.AllocateArray<byte>(capacity * ReplyPacket.NameBytes, pinned: true);
        _controls = GC.AllocateArray<byte>(capacity * ReplyPacket.ControlBytes, pinned: true);
        _vectors = GC.AllocateArray<IoVector>(capacity, pinned: true);
        _messages = GC.AllocateArray<MultiMessage>(capacity, pinned: true);
        _faults = new ReplyFault[capacity];
        for (var i = 0; i < capacity; i++)
        {
            _vectors[i].Start = At(_packets, i * _stride);
            ref var header = ref _messages[i].Header;
            header.Name = At(_names, i * ReplyPacket.NameBytes);
            header.Vectors = (IoVector*)Marshal.UnsafeAddrOfPinnedArrayElement(_vectors, i);
            header.VectorCount = 1;
            header.Control = At(_controls, i * ReplyPacket.ControlBytes);
        }
    }

    public AddressFamily Family { get; }

    public int Capacity { get; }

    public int PayloadBytes { get; }

    public int Count { get; private set; }

    /// <summary>Copies a reply in. Anything but <see cref="ReplyFault.None"/> means that it is not in the batch; <see cref="ReplyFault.BatchFull"/>: send and clear first.</summary>
    /// <param name="source">The original destination, which the client must see as the sender.</param>
    /// <param name="client">The datagram's source.</param>
    /// <param name="payload">May be empty.</param>
    public ReplyFault Add(in DatagramAddress source, in DatagramAddress client, ReadOnlySpan<byte> payload)
    {
        if (ReplyPacket.Check(source, client, payload.Length, Family) is not ReplyFault.None and var fault)
        {
            return fault;
        }

        if (payload.Length > PayloadBytes)
        {
            return ReplyFault.TooLarge;
        }

        if (Count == Capacity)
        {
            return ReplyFault.BatchFull;
        }

        var slot = Count++;
        var packet = _packets.AsSpan(slot * _stride, ReplyPacket.HeaderBytes + payload.Length);
        payload.CopyTo(packet[ReplyPacket.HeaderBytes..]);
        ReplyPacket.WriteHeader(packet, source, client, payload);
        _vectors[slot].Length = (nuint)packet.Length;
        ref var header = ref _messages[slot].Header;
        header.NameLength = (uint)client.WriteSockAddr(_names.AsSpan(slot * ReplyPacket.NameBytes, ReplyPacket.NameBytes));
        header.ControlLength = (nuint)ReplyPacket.WriteControl(_controls.AsSpan(slot * ReplyPacket.ControlBytes, ReplyPacket.ControlBytes), source);
        _faults[slot] = ReplyFault.None;
        return ReplyFault.None;
    }

    /// <summary>What became of a reply, after <see cref="ReplySender.Send(ReplyBatch)"/>.</summary>
    public ReplyFault Outcome(int index) => _faults.AsSpan(0, Count)[index];

    public void Clear() => Count = 0;

    internal MultiMessage* From(int index) => (MultiMessage*)Marshal.UnsafeAddrOfPinnedArrayElement(_messages, index);

    internal void Fail(int index, ReplyFault fault) => _faults[index] = fault;

    private static byte* At(byte[] pinned, int offset) => (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(pinned, offset);
}
