using System;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Native;

/// <summary>The C library calls the runtime has no quiet form of.</summary>
internal static partial class Libc
{
    /// <summary>
    /// getsockopt(2). Returns 0, or -1 with errno in <see cref="Marshal.GetLastPInvokeError"/>: ENOENT (2) if conntrack knows no such
    /// connection, ENOPROTOOPT (92) if conntrack is not loaded. The managed call throws for both, which is too dear for once a connection.
    /// </summary>
    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial int GetSockOpt(SafeHandle socket, int level, int name, Span<byte> value, ref int length);

    /// <summary>
    /// getsockname(2). Returns 0, or -1 with errno in <see cref="Marshal.GetLastPInvokeError"/>. The managed <c>LocalEndPoint</c> of an accepted socket
    /// is a copy of the listener's once somebody has read the listener's, which for TPROXY is the wrong address.
    /// </summary>
    [LibraryImport("libc", EntryPoint = "getsockname", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial int GetSockName(SafeHandle socket, Span<byte> address, ref int length);

    /// <summary>A second descriptor of the same file, not handed on to commands.</summary>
    /// <exception cref="TproxyException">No descriptors are left.</exception>
    internal static int Duplicate(int descriptor)
    {
        const int DuplicateCloseOnExec = 1030; // F_DUPFD_CLOEXEC
        var copy = FileControl(descriptor, DuplicateCloseOnExec, 0);
        return copy >= 0
            ? copy
            : throw new TproxyException($"cannot duplicate a descriptor: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}; raise the limit of open files (ulimit -n)");
    }

    /// <summary>vasprintf(3): a new string, to be freed, or a negative number.</summary>
    [LibraryImport("libc", EntryPoint = "vasprintf")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial int Format(out nint text, nint format, nint arguments);

    [LibraryImport("libc", EntryPoint = "free")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial void Free(nint memory);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int FileControl(int descriptor, int command, int argument);
}
