using System;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Postern.Tproxy.Native;

namespace Postern.Tproxy.Netlink;

/// <summary>A NETLINK_ROUTE socket of the calling thread's network namespace, where it stays whoever uses it.</summary>
internal sealed class NetlinkSocket : IDisposable
{
    internal const int BufferSize = 65536; // the kernel fills 32 KiB at most

    private const int Family = 16; // AF_NETLINK
    private const int Raw = 3 | 0x80000; // SOCK_RAW | SOCK_CLOEXEC
    private const int Truncate = 0x20; // MSG_TRUNC: answer the real length
    private const int DontWait = 0x40;

    private readonly SafeFileHandle handle;

    /// <param name="groups">Bits of RTMGRP_…, or 0.</param>
    /// <exception cref="TproxyException">The kernel refuses.</exception>
    internal NetlinkSocket(uint groups)
    {
        handle = new SafeFileHandle(Libc.CreateSocket(Family, Raw, 0), ownsHandle: true);
        Span<byte> address = stackalloc byte[12]; // struct sockaddr_nl
        address.Clear();
        MemoryMarshal.Write(address, (ushort)Family);
        MemoryMarshal.Write(address[8..], groups);
        if (handle.IsInvalid || Libc.Bind(handle, address, address.Length) != 0)
        {
            var error = Fault("open a netlink socket");
            handle.Dispose();
            throw error;
        }
    }

    internal int Descriptor => (int)handle.DangerousGetHandle();

    internal void Send(ReadOnlySpan<byte> message)
    {
        if (Libc.Send(handle, message, (nuint)message.Length, 0) != message.Length)
        {
            throw Fault("ask for the network devices");
        }
    }

    /// <summary>The length of a datagram in <paramref name="buffer"/>; -1 for none there (if not to wait), -2 if the kernel had to throw some away.</summary>
    internal int Receive(Span<byte> buffer, ReceiveWait wait)
    {
        while (true)
        {
            var count = Libc.Receive(handle, buffer, (nuint)buffer.Length, Truncate | (wait == ReceiveWait.None ? DontWait : 0));
            if (count >= 0)
            {
                return count <= buffer.Length ? (int)count : -2;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case Libc.ErrorInterrupted:
                    continue;
                case Libc.ErrorAgain:
                    return -1;
                case Libc.ErrorNoBuffers:
                    return -2;
                default:
                    throw Fault("read from a netlink socket");
            }
        }
    }

    public void Dispose() => handle.Dispose();

    private static TproxyException Fault(string what) => new($"cannot {what}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
}

/// <summary>Whether to wait for a datagram.</summary>
internal enum ReceiveWait
{
    None,
    ForOne,
}
