using System;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Native;

/// <summary>For a thread that waits for descriptors. All answer -1 with errno in <see cref="Marshal.GetLastPInvokeError"/>.</summary>
internal static partial class Libc
{
    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial int Poll(Span<PollEntry> entries, nuint count, int milliseconds);

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
    internal const short Readable = 1; // POLLIN

    public int Descriptor;
    public short Wanted;
    public short Seen;
}
