using System;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Native;

/// <summary>Calls for many datagrams at once, and for a thread that waits for them. All answer -1 with errno in <see cref="Marshal.GetLastPInvokeError"/>.</summary>
internal static unsafe partial class Libc
{
    internal const int MessageControlTruncated = 0x8;
    internal const int MessageTruncated = 0x20;
    internal const int MessageDontWait = 0x40;

    [LibraryImport("libc", EntryPoint = "recvmmsg", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial int ReceiveMany(SafeHandle socket, MultiMessage* messages, uint count, int flags, void* timeout);

    [LibraryImport("libc", EntryPoint = "sendmmsg", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial int SendMany(SafeHandle socket, MultiMessage* messages, uint count, int flags);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial nint Send(SafeHandle socket, MessageHeader* message, int flags);
}
