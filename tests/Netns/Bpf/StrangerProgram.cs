using System;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Postern.Netns.Fixture;
using Postern.Tproxy.Bpf;

namespace Postern.Tests.Netns.Bpf;

/// <summary>Somebody else's program for devices: <c>return TC_ACT_UNSPEC</c>, which leaves packets to the next.</summary>
internal sealed partial class StrangerProgram : IDisposable
{
    private const int Classifier = 3; // BPF_PROG_TYPE_SCHED_CLS
    private readonly SafeFileHandle _program;

    internal StrangerProgram()
    {
        // r0 = -1; exit
        ReadOnlySpan<byte> code = [0xb7, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x95, 0, 0, 0, 0, 0, 0, 0];
        var descriptor = Load(Classifier, "stranger", "GPL", code, 2, 0);
        Assert.True(descriptor >= 0, $"bpf_prog_load: {descriptor}");
        _program = new SafeFileHandle(descriptor, ownsHandle: true);
    }

    internal int Descriptor => (int)_program.DangerousGetHandle();

    /// <summary>In the very place that steering wants.</summary>
    internal void TakeClsact(NetworkNamespace node, int device, DeviceHook hook) =>
        Assert.Equal(0, node.Inside(() => ClsactHook.Attach(device, "test", hook, 1, Descriptor)));

    /// <summary>In front of all tcx programs for as long as the link is open.</summary>
    internal SafeFileHandle GoFirst(NetworkNamespace node, int device) => node.Inside(() =>
    {
        var options = new LinkCreateOptions { Size = (nuint)Marshal.SizeOf<LinkCreateOptions>(), Flags = 8 };
        var link = Libbpf.LinkCreate(Descriptor, device, 46, options);
        Assert.True(link >= 0, $"bpf_link_create: {link}");
        return new SafeFileHandle(link, ownsHandle: true);
    });

    public void Dispose() => _program.Dispose();

    [LibraryImport("libbpf.so.1", EntryPoint = "bpf_prog_load", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Load(int type, string name, string license, ReadOnlySpan<byte> code, nuint instructions, nint options);
}
