using System;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;
using Postern.Tproxy.Native;

namespace Postern.Tproxy.Diagnosis;

/// <summary>Whether somebody holds an flock, by /proc/locks: who tries the lock itself holds it for a moment, and would be taken for its owner.</summary>
internal static class LockTable
{
    private const string FirstPidNamespace = "pid:[4026531836]"; // PROC_PID_INIT_INO
    private const long Tmpfs = 0x01021994; // TMPFS_MAGIC

    /// <summary>
    /// Null where that cannot be told: the table leaves out holders of other pid namespaces, and names some file systems (btrfs, overlays) otherwise than the
    /// files in them do.
    /// </summary>
    internal static bool? IsHeld(string path)
    {
        Span<byte> file = stackalloc byte[256];
        try
        {
            if (Libc.StatX(Libc.CurrentFolder, path, 0, Libc.StatInode, file) != 0)
            {
                return File.Exists(path) ? null : false;
            }

            var inode = MemoryMarshal.Read<ulong>(file[32..]);
            var (major, minor) = (MemoryMarshal.Read<uint>(file[136..]), MemoryMarshal.Read<uint>(file[140..]));
            return Holds(File.ReadAllText("/proc/locks"), major, minor, inode) ? true : ShowsAll(path) ? false : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Whether a table has an exclusive flock of that file. Those who wait for one have an arrow in front. Pure.</summary>
    internal static bool Holds(string table, uint major, uint minor, ulong inode)
    {
        var wanted = string.Create(CultureInfo.InvariantCulture, $"{major:x2}:{minor:x2}:{inode}");
        foreach (var line in table.Split('\n'))
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, "FLOCK", _, "WRITE", _, var where, ..] && where == wanted)
            {
                return true;
            }
        }

        return false;
    }

    private static bool ShowsAll(string path)
    {
        Span<byte> system = stackalloc byte[256];
        return new FileInfo("/proc/self/ns/pid").LinkTarget == FirstPidNamespace
            && Libc.StatFs(path, system) == 0 && (nint.Size == 8 ? MemoryMarshal.Read<long>(system) : MemoryMarshal.Read<uint>(system)) == Tmpfs;
    }
}
