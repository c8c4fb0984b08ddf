using System;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Bpf;

/// <summary>Looking at programs that are attached. Nothing here changes anything.</summary>
internal static partial class Libbpf
{
    internal const int TcxIngress = 46;
    internal const int TcxEgress = 47;

    /// <summary>Programs of a hook in the order in which they run; <paramref name="target"/> is an interface index for tcx. On return <paramref name="count"/> is how many there are.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_prog_query")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int QueryPrograms(int target, int attachType, uint queryFlags, out uint attachFlags, Span<uint> ids, ref uint count);

    [LibraryImport(Library, EntryPoint = "bpf_prog_get_fd_by_id")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int ProgramById(uint id);

    /// <summary>Fills in struct bpf_prog_info as far as it fits.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_obj_get_info_by_fd")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int DescribeProgram(int descriptor, Span<byte> info, ref uint length);
}
