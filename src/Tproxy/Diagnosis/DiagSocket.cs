using System;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Postern.Tproxy.Diagnosis;

/// <summary>A NETLINK_SOCK_DIAG socket of the calling thread's network namespace; the runtime has no netlink sockets.</summary>
internal sealed partial class DiagSocket : IDisposable
{
    private const int Netlink = 16;
    private const int RawCloseOnExec = 3 | 0x80000;
    private const int SockDiag = 4;
    private const int SolSocket = 1;
    private const int ReceiveTimeout = 20;
    private const int Truncated = 0x20; // MSG_TRUNC as a flag of recv: answer the whole length

    private readonly SafeFileHandle handle;

    internal DiagSocket()
    {
        var descriptor = Open(Netlink, RawCloseOnExec, SockDiag);
        handle = descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failed("opened");
        var patience = new[] { 5L, 0L }; // struct timeval
        if (SetOption(handle, SolSocket, ReceiveTimeout, MemoryMarshal.AsBytes(patience.AsSpan()), 16) != 0)
        {
            throw Failed("set up");
        }
    }

    internal void Ask(ReadOnlySpan<byte> request)
    {
        if (Send(handle, request, request.Length, 0) != request.Length)
        {
            throw Failed("written to");
        }
    }

    /// <summary>Bytes of the next datagram.</summary>
    internal int Answer(Span<byte> buffer)
    {
        var length = Receive(handle, buffer, buffer.Length, Truncated);
        return length >= 0 && length <= buffer.Length ? (int)length : throw Failed("read from");
    }

    public void Dispose() => handle.Dispose();

    private static TproxyException Failed(string what) =>
        new($"the kernel's list of sockets (NETLINK_SOCK_DIAG) cannot be {what}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetOption(SafeFileHandle socket, int level, int name, ReadOnlySpan<byte> value, int length);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Send(SafeFileHandle socket, ReadOnlySpan<byte> bytes, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Receive(SafeFileHandle socket, Span<byte> bytes, nint length, int flags);
}
