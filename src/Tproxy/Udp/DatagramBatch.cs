using System;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Postern.Tproxy.Native;

namespace Postern.Tproxy.Udp;

/// <summary>
/// Room for a number of datagrams that one recvmmsg(2) fills. All of it is made once; receiving allocates nothing. Not for several threads at a
/// time, and what it shows holds until the next <see cref="Receive(Socket)"/>.
/// </summary>
public sealed unsafe class DatagramBatch
{
    public const int LargestDatagram = 65_535;
    public const int LargestCapacity = 1024; // UIO_MAXIOV: recvmmsg takes no more

    private const int NameBytes = 32; // sockaddr_in6 has 28
    private const int ControlBytes = 128; // both kinds of message take 48 + 24

    private readonly byte[] _payloads;
    private readonly byte[] _names;
    private readonly byte[] _controls;
    private readonly IoVector[] _vectors;
    private readonly MultiMessage[] _messages;
    private readonly DatagramAddress[] _sources;
    private readonly DatagramAddress[] _destinations;
    private readonly int[] _slots; // accepted datagrams in order of arrival
    private int _used;

    /// <param name="capacity">Datagrams, 1 to 1024.</param>
    /// <param name="datagramBytes">The longest payload that is taken whole, 1 to 65,535. Memory that no datagram has filled is not resident.</param>
    public DatagramBatch(int capacity = 32, int datagramBytes = LargestDatagram)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, LargestCapacity);
        ArgumentOutOfRangeException.ThrowIfLessThan(datagramBytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(datagramBytes, LargestDatagram);
        Capacity = capacity;
        DatagramBytes = datagramBytes;
        _payloads = GC.AllocateUninitializedArray<byte>(capacity * datagramBytes, pinned: true);
        _names = GC.AllocateArray<byte>(capacity * NameBytes, pinned: true);
        _controls = GC.AllocateArray<byte>(capacity * ControlBytes, pinned: true);
        _vectors = GC.AllocateArray<IoVector>(capacity, pinned: true);
        _messages = GC.AllocateArray<MultiMessage>(capacity, pinned: true);
        _sources = new DatagramAddress[capacity];
        _destinations = new DatagramAddress[capacity];
        _slots = new int[capacity];
        _used = capacity;
        for (var i = 0; i < capacity; i++)
        {
            _vectors[i] = new IoVector { Start = At(_payloads, i * datagramBytes), Length = (nuint)datagramBytes };
            ref var header = ref _messages[i].Header;
            header.Name = At(_names, i * NameBytes);
            header.Vectors = (IoVector*)Marshal.UnsafeAddrOfPinnedArrayElement(_vectors, i);
            header.VectorCount = 1;
            header.Control = At(_controls, i * ControlBytes);
        }
    }

    public int Capacity { get; }

    public int DatagramBytes { get; }

    /// <summary>Datagrams shown now, those without an original destination left out.</summary>
    public int Count { get; private set; }

    /// <summary>Datagrams of the last call that had no (or an unreadable) original destination or source and are not shown: without it nobody can judge or answer them.</summary>
    public int Rejected { get; private set; }

    /// <summary>Whether the last call filled the whole batch, so that there may be more.</summary>
    public bool Full => _used == Capacity;

    /// <summary>Datagrams that the socket's full queue lost since it was made, modulo 2^32, as far as the kernel has told.</summary>
    public uint QueueDrops { get; private set; }

    /// <summary>What came; cut at <see cref="DatagramBytes"/> if <see cref="Truncated"/>.</summary>
    public ReadOnlySpan<byte> Payload(int index)
    {
        var slot = Slot(index);
        return _payloads.AsSpan(slot * DatagramBytes, (int)Math.Min(_messages[slot].Length, (uint)DatagramBytes));
    }

    /// <summary>The client.</summary>
    public ref readonly DatagramAddress Source(int index) => ref _sources[Slot(index)];

    /// <summary>Where the client sent it.</summary>
    public ref readonly DatagramAddress OriginalDestination(int index) => ref _destinations[Slot(index)];

    /// <summary>Whether the datagram was longer than <see cref="DatagramBytes"/>.</summary>
    public bool Truncated(int index) => (_messages[Slot(index)].Header.Flags & Libc.MessageTruncated) != 0;

    /// <summary>Takes what is there, without waiting, and returns <see cref="Count"/>. 0 also if all were rejected.</summary>
    /// <exception cref="TproxyException">The socket failed.</exception>
    public int Receive(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        var error = TryReceive(socket.SafeHandle);
        return error is 0 or Libc.ErrorAgain or Libc.ErrorInterrupted
            ? Count
            : throw new TproxyException("cannot receive datagrams: " + Marshal.GetPInvokeErrorMessage(error));
    }

    /// <summary>As <see cref="Receive"/>; returns 0 or the errno, EAGAIN if nothing was there.</summary>
    internal int TryReceive(SafeHandle socket)
    {
        // The kernel overwrites these with what it used; slots that the last call left alone still hold them.
        for (var i = 0; i < _used; i++)
        {
            ref var header = ref _messages[i].Header;
            header.NameLength = NameBytes;
            header.ControlLength = ControlBytes;
            header.Flags = 0;
        }

        Count = 0;
        Rejected = 0;
        var received = Libc.ReceiveMany(socket, (MultiMessage*)Marshal.UnsafeAddrOfPinnedArrayElement(_messages, 0), (uint)Capacity, Libc.MessageDontWait, null);
        if (received < 0)
        {
            _used = Capacity;
            return Marshal.GetLastPInvokeError();
        }

        _used = received;
        for (var i = 0; i < received; i++)
        {
            if (Understand(i))
            {
                _slots[Count++] = i;
            }
            else
            {
                Rejected++;
            }
        }

        return 0;
    }

    private bool Understand(int slot)
    {
        ref var header = ref _messages[slot].Header;
        var control = _controls.AsSpan(slot * ControlBytes, (int)Math.Min(header.ControlLength, ControlBytes));
        var whole = ControlMessages.TryRead(control, out _destinations[slot], out var drops);
        QueueDrops = drops ?? QueueDrops;
        return whole
            && (header.Flags & Libc.MessageControlTruncated) == 0
            && DatagramAddress.TryRead(_names.AsSpan(slot * NameBytes, (int)Math.Min(header.NameLength, NameBytes)), out _sources[slot]);
    }

    private int Slot(int index) => (uint)index < (uint)Count ? _slots[index] : throw new ArgumentOutOfRangeException(nameof(index), index, $"the batch holds {Count} datagrams");

    private static byte* At(byte[] pinned, int offset) => (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(pinned, offset);
}
