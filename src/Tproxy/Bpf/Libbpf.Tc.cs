using System.Runtime.InteropServices;

namespace Postern.Tproxy.Bpf;

/// <summary>Filters of the clsact qdisc. libbpf makes a netlink socket for each call, on the calling thread.</summary>
internal static partial class Libbpf
{
    [LibraryImport(Library, EntryPoint = "bpf_tc_hook_create")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int TcHookCreate(ref TcHook hook);

    [LibraryImport(Library, EntryPoint = "bpf_tc_attach")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int TcAttach(in TcHook hook, ref TcOptions options);

    [LibraryImport(Library, EntryPoint = "bpf_tc_detach")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int TcDetach(in TcHook hook, in TcOptions options);

    [LibraryImport(Library, EntryPoint = "bpf_tc_query")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int TcQuery(in TcHook hook, ref TcOptions options);
}

/// <summary>struct bpf_tc_hook.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TcHook
{
    public nuint Size;
    public int InterfaceIndex;
    public int AttachPoint;
    public uint Parent;
}

/// <summary>struct bpf_tc_opts.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TcOptions
{
    internal const uint Replace = 1; // BPF_TC_F_REPLACE

    public nuint Size;
    public int Program;
    public uint Flags;
    public uint ProgramId;
    public uint Handle;
    public uint Priority;
}
