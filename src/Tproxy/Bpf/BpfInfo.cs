using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Postern.Tproxy.Bpf;

/// <summary>What the kernel tells about programs, maps and links: the fields of struct bpf_prog_info, bpf_map_info and bpf_link_info that are asked for.</summary>
internal static class BpfInfo
{
    private const int ProgramName = 64;
    private const int NameSize = 16; // BPF_OBJ_NAME_LEN
    private const string OurNames = "postern_";
    private const uint TcxLink = 11; // BPF_LINK_TYPE_TCX

    /// <summary>0 if it is no program.</summary>
    internal static uint ProgramId(int program)
    {
        Span<byte> info = stackalloc byte[ProgramName + NameSize];
        return TryRead(program, info, ProgramName + NameSize) ? MemoryMarshal.Read<uint>(info[4..]) : 0;
    }

    /// <summary>Null if the program is gone, or we may not ask (CAP_SYS_ADMIN).</summary>
    internal static string? NameOfProgram(uint id)
    {
        using var program = new SafeFileHandle(Libbpf.ProgramById(id), ownsHandle: true);
        Span<byte> info = stackalloc byte[ProgramName + NameSize];
        if (program.IsInvalid || (int)program.DangerousGetHandle() < 0 || !TryRead((int)program.DangerousGetHandle(), info, ProgramName + NameSize))
        {
            return null;
        }

        var name = info.Slice(ProgramName, NameSize);
        var end = name.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? name : name[..end]);
    }

    internal static bool IsOurs(uint programId) => NameOfProgram(programId)?.StartsWith(OurNames, StringComparison.Ordinal) ?? false;

    /// <summary>As messages name it.</summary>
    internal static string Describe(uint programId) => $"'{NameOfProgram(programId) ?? "?"}' (id {programId})";

    /// <summary>Of a tcx link: its device, 0 if that is gone, and attach type. False if it is something else.</summary>
    internal static bool TryReadTcxLink(int link, out int device, out int attachType, out uint programId)
    {
        Span<byte> info = stackalloc byte[24];
        device = 0;
        attachType = 0;
        programId = 0;
        // A program or a map has other numbers in these places; what a link is, it says by its type.
        if (!TryRead(link, info, 24) || MemoryMarshal.Read<uint>(info) != TcxLink || !IsLink(link))
        {
            return false;
        }

        programId = MemoryMarshal.Read<uint>(info[8..]);
        device = MemoryMarshal.Read<int>(info[16..]);
        attachType = MemoryMarshal.Read<int>(info[20..]);
        return true;
    }

    /// <summary>False if it is no map.</summary>
    internal static bool TryReadMap(int map, out BpfMapType type, out int keySize, out int valueSize)
    {
        Span<byte> info = stackalloc byte[24];
        var isMap = TryRead(map, info, 24) && Is(map, "anon_inode:bpf-map");
        type = (BpfMapType)MemoryMarshal.Read<int>(info);
        keySize = MemoryMarshal.Read<int>(info[8..]);
        valueSize = MemoryMarshal.Read<int>(info[12..]);
        return isMap;
    }

    /// <summary>Of a map: how many elements it takes; 0 if it is none.</summary>
    internal static uint MaxEntries(int map)
    {
        Span<byte> info = stackalloc byte[24];
        return TryRead(map, info, 24) && Is(map, "anon_inode:bpf-map") ? MemoryMarshal.Read<uint>(info[16..]) : 0;
    }

    private static bool IsLink(int descriptor) => Is(descriptor, "anon_inode:bpf-link") || Is(descriptor, "anon_inode:bpf_link");

    private static bool Is(int descriptor, string kind) =>
        new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget == kind;

    private static bool TryRead(int descriptor, Span<byte> info, uint atLeast)
    {
        info.Clear();
        var length = (uint)info.Length;
        return descriptor >= 0 && Libbpf.ObjectInfo(descriptor, info, ref length) == 0 && length >= atLeast;
    }
}
