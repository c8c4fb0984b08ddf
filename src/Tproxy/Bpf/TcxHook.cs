using System;
using System.Collections.Generic;
using Microsoft.Win32.SafeHandles;

namespace Postern.Tproxy.Bpf;

/// <summary>Programs on devices by tcx links (Linux 6.6), pinned. Nothing holds a descriptor: what is attached is what is pinned.</summary>
internal static class TcxHook
{
    private const int Ingress = 46; // BPF_TCX_INGRESS
    private const int Egress = 47; // BPF_TCX_EGRESS
    private const uint Before = 8; // BPF_F_BEFORE; of no other, so first
    private const int MostPrograms = 64; // BPF_MPROG_MAX
    private const int Invalid = -22; // EINVAL
    private const int Loopback = 1; // lo's index in every namespace

    /// <summary>Whether the kernel has tcx.</summary>
    internal static bool IsKnown()
    {
        var count = (uint)MostPrograms;
        return Libbpf.ProgramQuery(Loopback, Ingress, 0, out _, stackalloc uint[MostPrograms], ref count) != Invalid;
    }

    /// <summary>Puts the program in the place of the one on the pinned link, at once; makes the link if there is none.</summary>
    /// <returns>0 or a negative errno.</returns>
    internal static int Attach(SteeringPins pins, int device, DeviceHook hook, int program)
    {
        var path = pins.LinkPath(device, hook);
        using (var pinned = SteeringPins.TryOpen(path))
        {
            // A link that says it is at this device may be at one of the same number in another namespace, which was moved there with its link.
            if (pinned is not null && Fits(SteeringPins.Descriptor(pinned), device, hook)
                && Libbpf.LinkUpdate(SteeringPins.Descriptor(pinned), program, 0) == 0 && IsOn(device, hook, BpfInfo.ProgramId(program)))
            {
                return 0;
            }
        }

        var options = new LinkCreateOptions { Size = (nuint)System.Runtime.CompilerServices.Unsafe.SizeOf<LinkCreateOptions>(), Flags = Before };
        var descriptor = Libbpf.LinkCreate(program, device, AttachType(hook), options);
        if (descriptor < 0)
        {
            return descriptor;
        }

        using var link = new SafeFileHandle(descriptor, ownsHandle: true);
        pins.PinLink(descriptor, device, hook);
        return 0;
    }

    internal static bool IsOn(int device, DeviceHook hook, uint programId) => Programs(device, hook).IndexOf(programId) >= 0;

    /// <summary>Those that see a packet before ours does, and may keep it from it.</summary>
    internal static List<uint> ProgramsBefore(int device, DeviceHook hook, uint programId)
    {
        var programs = Programs(device, hook);
        var at = programs.IndexOf(programId);
        return at < 0 ? [] : programs.GetRange(0, at);
    }

    private static List<uint> Programs(int device, DeviceHook hook)
    {
        Span<uint> ids = stackalloc uint[MostPrograms];
        var count = (uint)ids.Length;
        return Libbpf.ProgramQuery(device, AttachType(hook), 0, out _, ids, ref count) == 0 ? [.. ids[..(int)Math.Min(count, MostPrograms)]] : [];
    }

    /// <summary>Also whether the program is ours; without CAP_SYS_ADMIN that cannot be asked, and the place of the pin has to do.</summary>
    private static bool Fits(int link, int device, DeviceHook hook) =>
        BpfInfo.TryReadTcxLink(link, out var at, out var type, out var program) && at == device && type == AttachType(hook)
        && (BpfInfo.NameOfProgram(program) is null || BpfInfo.IsOurs(program));

    private static int AttachType(DeviceHook hook) => hook == DeviceHook.Ingress ? Ingress : Egress;
}
