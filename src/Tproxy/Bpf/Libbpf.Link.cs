using System;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Bpf;

/// <summary>Links of programs to devices (tcx), and asking which programs there are.</summary>
internal static partial class Libbpf
{
    /// <param name="program">Descriptor.</param>
    /// <param name="target">For tcx an interface index.</param>
    /// <param name="attachType">BPF_TCX_INGRESS or BPF_TCX_EGRESS.</param>
    /// <param name="options">How.</param>
    [LibraryImport(Library, EntryPoint = "bpf_link_create")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int LinkCreate(int program, int target, int attachType, in LinkCreateOptions options);

    [LibraryImport(Library, EntryPoint = "bpf_link_update")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int LinkUpdate(int link, int program, nint options);

    [LibraryImport(Library, EntryPoint = "bpf_link_detach")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int LinkDetach(int link);

    /// <summary>Programs of a device in the order in which they run. <paramref name="count"/>: room in, number out.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_prog_query")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int ProgramQuery(int target, int attachType, uint queryFlags, out uint attachFlags, Span<uint> ids, ref uint count);

    /// <summary>Needs CAP_SYS_ADMIN.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_prog_get_fd_by_id")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int ProgramById(uint id);

    /// <summary>struct bpf_prog_info, bpf_map_info or bpf_link_info, as the descriptor is; as much of it as there is room.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_obj_get_info_by_fd")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int ObjectInfo(int descriptor, Span<byte> info, ref uint length);
}

/// <summary>struct bpf_link_create_opts of libbpf 1.x, as far as it is the same in all.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LinkCreateOptions
{
    public nuint Size;
    public uint Flags;
    public nint IteratorInfo;
    public uint IteratorInfoLength;
    public uint TargetBtfId;
}
