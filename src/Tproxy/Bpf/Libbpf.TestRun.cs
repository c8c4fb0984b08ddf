using System;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Bpf;

/// <summary>BPF_PROG_TEST_RUN.</summary>
internal static partial class Libbpf
{
    [LibraryImport(Library, EntryPoint = "bpf_prog_test_run_opts")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int TestRun(int program, ref TestRunOptions options);
}

/// <summary>struct bpf_test_run_opts of libbpf 1.x.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TestRunOptions
{
    public nuint Size;
    public nint DataIn;
    public nint DataOut;
    public uint DataInLength;
    public uint DataOutLength;
    public nint ContextIn;
    public nint ContextOut;
    public uint ContextInLength;
    public uint ContextOutLength;
    public uint Answer;
    public int Repeat;
    public uint Nanoseconds;
    public uint Flags;
    public uint Cpu;
    public uint BatchSize;
}
