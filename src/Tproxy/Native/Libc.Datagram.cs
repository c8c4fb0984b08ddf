using System;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Native;

/// <summary>Calls for many datagrams at once, and for a thread that waits for them. All answer -1 with errno in <see cref="Marshal.GetLastPInvokeError"/>.</summary>
internal static unsafe partial class Libc
{
    internal const int MessageControlTruncated = 0x8;
    internal const int MessageTruncated = 0x20;
    internal const int MessageDontWait = 0x40;
    internal const short PollIn = 1;

    internal const int ErrorPermission = 1;
    internal const int ErrorInterrupted = 4;
    internal const int ErrorAgain = 11;
    internal const int ErrorNoMemory = 12;
    internal const int ErrorAccess = 13;
    internal const int ErrorInvalid = 22;
    internal const int ErrorMessageSize = 90;
    internal const int ErrorAddressNotAvailable = 99;
    internal const int ErrorNetworkDown = 100;
    internal const int ErrorNetworkUnreachable = 101;
    internal const int ErrorNoBuffers = 105;
    internal const int ErrorConnectionRefused = 111;
    internal const int ErrorHostUnreachable = 113;

    [LibraryImport("libc", EntryPoint = "recvmmsg", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial int ReceiveMany(SafeHandle socket, MultiMessage* messages, uint count, int flags, void* timeout);

    [LibraryImport("libc", EntryPoint = "sendmmsg", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial int SendMany(SafeHandle socket, MultiMessage* messages, uint count, int flags);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial nint Send(SafeHandle socket, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial int Poll(PollEntry* entries, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial int EventDescriptor(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial nint Write(SafeHandle descriptor, in ulong value, nuint length);
}

/// <summary>struct pollfd.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollEntry
{
    public int Descriptor;
    public short Wanted;
    public short Seen;
}
