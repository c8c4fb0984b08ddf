using System;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Native;

/// <summary>File systems. -1 and errno on failure.</summary>
internal static partial class Libc
{
    private const nint OpenFileSystemCall = 430; // fsopen(2), the same number on every architecture; glibc has a wrapper from 2.36 only

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial int Mount(string source, string target, string type, nuint flags, string data);

    /// <summary>statfs(2). <paramref name="buffer"/> begins with f_type in the machine's word; 256 bytes are enough on every architecture.</summary>
    [LibraryImport("libc", EntryPoint = "statfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial int StatFs(string path, Span<byte> buffer);

    /// <summary>A descriptor of a file system that is not mounted anywhere: tells whether one could be.</summary>
    internal static nint OpenFileSystem(string type) => FileSystemCall(OpenFileSystemCall, type, 1); // FSOPEN_CLOEXEC

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial nint FileSystemCall(nint number, string type, nint flags);
}
