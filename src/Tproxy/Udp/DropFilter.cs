using System;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Postern.Tproxy.Native;

namespace Postern.Tproxy.Udp;

/// <summary>A classic BPF program on a socket that keeps nothing of what comes (socket(7), SO_ATTACH_FILTER): for sockets that only send.</summary>
internal static unsafe class DropFilter
{
    /// <summary>Attaches it for good and throws away what came before.</summary>
    internal static void Attach(Socket socket)
    {
        var instruction = new Instruction { Code = 0x06 }; // BPF_RET | BPF_K: keep 0 bytes
        var program = new Program { Length = 1, First = &instruction };
        socket.SetRawSocketOption(SocketOption.SolSocket, SocketOption.SoAttachFilter, MemoryMarshal.AsBytes(new ReadOnlySpan<Program>(in program)));
        SocketOption.Set(socket, SocketOption.SolSocket, SocketOption.SoLockFilter, 1);
        Drain(socket);
    }

    /// <summary>Throws away what is queued. Leaves the socket non-blocking.</summary>
    internal static void Drain(Socket socket)
    {
        socket.Blocking = false;
        Span<byte> some = stackalloc byte[1];
        SocketError error;
        do
        {
            socket.Receive(some, SocketFlags.None, out error);
        }
        while (error is SocketError.Success or SocketError.MessageSize or SocketError.ConnectionRefused);
    }

    /// <summary>struct sock_filter.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Instruction
    {
        public ushort Code;
        public byte JumpTrue;
        public byte JumpFalse;
        public uint Value;
    }

    /// <summary>struct sock_fprog.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Program
    {
        public ushort Length;
        public Instruction* First;
    }
}
