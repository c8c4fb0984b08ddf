using System;
using System.IO;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Postern.Tproxy.Native;

/// <summary>Files, where the runtime would follow links or wait for a writer.</summary>
internal static partial class Libc
{
    internal const int CurrentFolder = -100; // AT_FDCWD
    internal const uint StatInode = 0x100; // STATX_INO

    private const int NoEntry = 2; // ENOENT
    private const int TooManyLinks = 40; // ELOOP
    private const int NonBlocking = 0x800; // O_NONBLOCK
    private const int CloseOnExec = 0x80000; // O_CLOEXEC

    // O_NOFOLLOW, of which ARM has a number of its own.
    private static readonly int NoFollow = RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 ? 0x8000 : 0x20000;

    /// <summary>For reading; null if there is no such file. A pipe is opened at once, too: asking for its length then fails.</summary>
    /// <exception cref="IOException">It is a link, or cannot be opened.</exception>
    internal static SafeFileHandle? OpenNoFollow(string path)
    {
        var descriptor = Open(path, NoFollow | NonBlocking | CloseOnExec);
        if (descriptor >= 0)
        {
            return new SafeFileHandle(descriptor, ownsHandle: true);
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno == NoEntry ? null : throw new IOException(errno == TooManyLinks ? "it is a link" : Marshal.GetPInvokeErrorMessage(errno));
    }

    /// <summary>statx(2), whose struct is the same on every architecture: stx_ino at 32, stx_dev_major at 136, stx_dev_minor at 140 of 256 bytes.</summary>
    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial int StatX(int folder, string path, int flags, uint mask, Span<byte> file);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Open(string path, int flags);
}
