using System;
using System.Buffers.Binary;
using System.IO;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Native;

#pragma warning disable CA1416 // Linux only, as all of Postern

/// <summary>What the runtime does not tell of a folder: whose it is; and how a rename in it survives a power cut.</summary>
public static partial class PosixFolder
{
    private const int AtWorkingDirectory = -100;
    private const uint StatxUid = 0x8;
    private const int StatxSize = 256;
    private const int StatxUidOffset = 20;
    private const int CloseOnExec = 0x80000; // O_RDONLY | O_CLOEXEC

    /// <summary>Why somebody other than this process's user and root could put files there, or null when none can.</summary>
    public static string? FindStranger(string path)
    {
        var mode = File.GetUnixFileMode(path);
        if ((mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
        {
            return $"others may write to it (mode {Convert.ToString((int)mode, 8)}), and what they put there would become policy; chmod go-w, or name a folder below it, which is made with mode 700";
        }
        Span<byte> status = stackalloc byte[StatxSize];
        if (Statx(AtWorkingDirectory, path, 0, StatxUid, status) != 0)
        {
            return null; // an old kernel, or one that forbids the question: the mode has to do
        }
        var owner = BinaryPrimitives.ReadUInt32LittleEndian(status[StatxUidOffset..]);
        var us = GetEffectiveUser();
        return owner == 0 || owner == us ? null : $"belongs to user {owner}, and what that user puts there would become policy; chown it to {us}";
    }

    /// <summary>Makes a rename in the folder last. A file system that cannot is no failure: then there is the old file after a power cut.</summary>
    public static void Flush(string path)
    {
        var folder = Open(path, CloseOnExec);
        if (folder >= 0)
        {
            _ = Fsync(folder);
            _ = Close(folder);
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Statx(int folder, string path, int flags, uint mask, Span<byte> status);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial uint GetEffectiveUser();

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Close(int descriptor);
}
