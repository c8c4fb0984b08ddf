using System;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Bpf;

/// <summary>
/// The part of libbpf 1.x that steering needs. Calls answer 0 or a file descriptor, or a negative errno; those that answer a pointer give null and set errno.
/// </summary>
internal static partial class Libbpf
{
    private const string Library = "libbpf.so.1";

    [LibraryImport(Library, EntryPoint = "bpf_map_create", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int MapCreate(BpfMapType type, string name, uint keySize, uint valueSize, uint maxEntries, in MapCreateOptions options);

    [LibraryImport(Library, EntryPoint = "bpf_map_update_elem")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int MapUpdate(int map, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags);

    [LibraryImport(Library, EntryPoint = "bpf_map_lookup_elem")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int MapLookup(int map, ReadOnlySpan<byte> key, Span<byte> value);

    [LibraryImport(Library, EntryPoint = "bpf_map_delete_elem")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int MapDelete(int map, ReadOnlySpan<byte> key);

    /// <summary>An empty <paramref name="key"/> asks for the first one.</summary>
    [LibraryImport(Library, EntryPoint = "bpf_map_get_next_key")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int MapNextKey(int map, ReadOnlySpan<byte> key, Span<byte> next);

    [LibraryImport(Library, EntryPoint = "bpf_obj_pin", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Pin(int descriptor, string path);

    [LibraryImport(Library, EntryPoint = "bpf_obj_get", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int OpenPin(string path);

    [LibraryImport(Library, EntryPoint = "libbpf_num_possible_cpus")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int PossibleCpus();
}

/// <summary>enum bpf_map_type.</summary>
internal enum BpfMapType
{
    Hash = 1,
    Array = 2,
    PerCpuArray = 6,
    LruHash = 9,
    LpmTrie = 11,
    ArrayOfMaps = 12,
}

/// <summary>struct bpf_map_create_opts of libbpf 1.x.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MapCreateOptions
{
    public nuint Size;
    public uint BtfFd;
    public uint BtfKeyTypeId;
    public uint BtfValueTypeId;
    public uint BtfVmlinuxValueTypeId;
    public uint InnerMapFd;
    public uint MapFlags;
    public ulong MapExtra;
    public uint NumaNode;
    public uint MapInterfaceIndex;
}
