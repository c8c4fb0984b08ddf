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
}
