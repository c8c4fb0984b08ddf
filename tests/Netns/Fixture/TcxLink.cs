using System;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Postern.Netns.Fixture;

/// <summary>A program attached to a device by tcx (Linux 6.6) until disposed. Make it inside the device's namespace.</summary>
public sealed partial class TcxLink : IDisposable
{
    public const int Ingress = 46; // BPF_TCX_INGRESS
    public const int Egress = 47; // BPF_TCX_EGRESS

    private readonly SafeFileHandle link;

    public TcxLink(int program, string device, int place)
    {
        var index = (int)InterfaceIndex(device);
        var descriptor = index == 0 ? -19 : LinkCreate(program, index, place, 0);
        link = descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw new InvalidOperationException($"cannot attach to {device}: errno {-descriptor}");
    }

    public static uint IndexOf(string device) => InterfaceIndex(device);

    public void Dispose() => link.Dispose();

    [LibraryImport("libbpf.so.1", EntryPoint = "bpf_link_create")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int LinkCreate(int program, int target, int place, nint options);

    [LibraryImport("libc", EntryPoint = "if_nametoindex", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial uint InterfaceIndex(string name);
}
