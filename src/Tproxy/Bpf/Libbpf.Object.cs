using System;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Bpf;

/// <summary>Objects, their programs and maps, all as pointers that live as long as the object.</summary>
internal static partial class Libbpf
{
    /// <summary>Copies the bytes. 0 and errno if they are no object.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_object__open_mem", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint ObjectOpen(ReadOnlySpan<byte> bytes, nuint length, nint options);

    [LibraryImport(Library, EntryPoint = "bpf_object__load")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int ObjectLoad(nint bpfObject);

    [LibraryImport(Library, EntryPoint = "bpf_object__close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial void ObjectClose(nint bpfObject);

    [LibraryImport(Library, EntryPoint = "bpf_object__btf")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint ObjectBtf(nint bpfObject);

    [LibraryImport(Library, EntryPoint = "bpf_object__find_map_by_name", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint ObjectMap(nint bpfObject, string name);

    [LibraryImport(Library, EntryPoint = "bpf_object__find_program_by_name", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint ObjectProgram(nint bpfObject, string name);

    [LibraryImport(Library, EntryPoint = "bpf_map__fd")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int MapDescriptor(nint map);

    [LibraryImport(Library, EntryPoint = "bpf_program__fd")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int ProgramDescriptor(nint program);

    /// <summary>Before the load: this map in place of a new one. Duplicates the descriptor.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_map__reuse_fd")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int MapReuse(nint map, int descriptor);

    /// <summary>Before the load.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_map__set_max_entries")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int MapSetMaxEntries(nint map, uint entries);

    /// <summary>Takes an int (*)(enum libbpf_print_level, const char *, va_list), for the whole process, and gives the one before.</summary>
    [LibraryImport(Library, EntryPoint = "libbpf_set_print")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint SetPrint(nint callback);
}
