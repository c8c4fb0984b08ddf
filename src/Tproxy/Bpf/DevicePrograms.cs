using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Postern.Tproxy.Netlink;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Bpf;

/// <summary>
/// The steering program at every device that is to have it, and the guard beside it. Ingress goes on first, then the device is listed, then the guard; they
/// come off in the other order. A device that refuses is not listed, so that the guards of the others drop what came by it and rules concern.
/// </summary>
internal sealed class DevicePrograms(SteeringPins pins, SteeringOptions options, Action<string> log)
{
    private const int NoDevice = -19; // ENODEV

    private readonly Dictionary<int, AttachedDevice> attached = [];
    private readonly HashSet<int> guarded = [];
    private readonly Dictionary<int, string> refused = [];
    private readonly AttachMode mode = options.Attach != AttachMode.Automatic ? options.Attach : TcxHook.IsKnown() ? AttachMode.Tcx : AttachMode.Clsact;
    private readonly HashSet<int> unlisted = [];
    private readonly ProgramsInFront inFront = new(log);
    private bool swept;

    internal IReadOnlyList<AttachedDevice> Attached { get; private set; } = [];

    /// <summary>Devices that refuse, with the reason.</summary>
    internal IReadOnlyDictionary<int, string> Refused => refused;

    /// <summary>Whether a program of an earlier run is at work, on any device.</summary>
    internal bool AreInForce(IReadOnlyList<NetworkDevice> devices)
    {
        foreach (var (path, device, _) in pins.Links())
        {
            if (IsLinked(path, device))
            {
                return true;
            }
        }

        foreach (var device in devices)
        {
            if (ClsactHook.IsOurs(device.Index, DeviceHook.Ingress, options.ClsactPriority))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a program of ours is at the device's ingress, of this run or an earlier one.</summary>
    internal bool Bears(NetworkDevice device) =>
        IsLinked(pins.LinkPath(device.Index, DeviceHook.Ingress), device.Index) || ClsactHook.IsOurs(device.Index, DeviceHook.Ingress, options.ClsactPriority);

    /// <summary>Brings the devices that there are and those that have the programs together. Tries again what was refused before.</summary>
    /// <exception cref="TproxyException">A map or a pin could not be written.</exception>
    internal void Sync(IReadOnlyList<NetworkDevice> devices, SteeringProgram program)
    {
        var wanted = new Dictionary<int, NetworkDevice>();
        foreach (var device in devices)
        {
            if (device.BearsPrograms)
            {
                wanted.Add(device.Index, device);
            }
        }

        foreach (var index in new List<int>(attached.Keys))
        {
            if (!wanted.ContainsKey(index))
            {
                Drop(index, program.Maps.Devices);
            }
        }

        foreach (var device in wanted.Values)
        {
            AttachIngress(device, program);
        }

        foreach (var device in wanted.Values)
        {
            if (attached.ContainsKey(device.Index))
            {
                List(device, program);
            }
        }

        foreach (var device in wanted.Values)
        {
            AttachGuard(device, program);
        }

        if (!swept)
        {
            Sweep(devices, program.Maps.Devices);
            swept = true;
        }

        foreach (var index in new List<int>(refused.Keys))
        {
            if (!wanted.ContainsKey(index))
            {
                refused.Remove(index);
            }
        }

        Attached = [.. attached.Values];
    }

    private void AttachIngress(NetworkDevice device, SteeringProgram program)
    {
        if (attached.ContainsKey(device.Index) && IsOn(device.Index, DeviceHook.Ingress, BpfInfo.ProgramId(program.Ingress)))
        {
            attached[device.Index] = new AttachedDevice(device.Index, device.Name, mode);
            return;
        }

        var lost = attached.Remove(device.Index);
        if (!TryAttach(device, DeviceHook.Ingress, program.Ingress))
        {
            program.Maps.Devices.Delete(Bytes(device.Index));
            return;
        }

        attached.Add(device.Index, new AttachedDevice(device.Index, device.Name, mode));
        log($"steering: eBPF program on {device.Name} (index {device.Index}, {Name(mode)}){(lost ? " again: somebody had taken it away" : string.Empty)}");
    }

    /// <summary>As of a device that refuses, the guards drop what comes by one that cannot be listed. The rules stand by now: that is no reason to fail.</summary>
    private void List(NetworkDevice device, SteeringProgram program)
    {
        if (mode == AttachMode.Tcx)
        {
            inFront.Look(device, TcxHook.ProgramsBefore(device.Index, DeviceHook.Ingress, BpfInfo.ProgramId(program.Ingress)));
        }

        try
        {
            program.Maps.Devices.Update(Bytes(device.Index), Bytes(1));
            unlisted.Remove(device.Index);
        }
        catch (TproxyException error)
        {
            if (unlisted.Add(device.Index))
            {
                log($"steering: device {device.Name} cannot be listed: {error.Message}; forwarded packets that rules concern are dropped, also where the program let them pass");
            }
        }
    }

    private void AttachGuard(NetworkDevice device, SteeringProgram program)
    {
        if (guarded.Contains(device.Index) && IsOn(device.Index, DeviceHook.Egress, BpfInfo.ProgramId(program.Guard)))
        {
            return;
        }

        guarded.Remove(device.Index);
        if (TryAttach(device, DeviceHook.Egress, program.Guard))
        {
            guarded.Add(device.Index);
            if (attached.ContainsKey(device.Index))
            {
                refused.Remove(device.Index);
            }
        }
    }

    private bool IsOn(int device, DeviceHook hook, uint program) =>
        mode == AttachMode.Tcx ? TcxHook.IsOn(device, hook, program) : ClsactHook.IsOn(device, hook, options.ClsactPriority, program);

    private bool TryAttach(NetworkDevice device, DeviceHook hook, int program)
    {
        string reason;
        try
        {
            var result = mode == AttachMode.Tcx
                ? TcxHook.Attach(pins, device.Index, hook, program)
                : ClsactHook.Attach(device.Index, device.Name, hook, options.ClsactPriority, program);
            if (result is 0 or NoDevice)
            {
                return result == 0;
            }

            reason = $"device {device.Name} takes no {Name(mode)} program: {BpfMap.Because(result)}"
                + (mode == AttachMode.Tcx ? "; tcx needs Linux 6.6, see AttachMode" : "; is sch_clsact in the kernel (modprobe sch_ingress)?");
        }
        catch (TproxyException error)
        {
            reason = error.Message;
        }

        if (!refused.TryGetValue(device.Index, out var before) || before != reason)
        {
            refused[device.Index] = reason;
            log($"steering: {reason}; "
                + (hook == DeviceHook.Ingress ? "forwarded packets that come by it and that rules concern are dropped" : "it does not drop what came past the program"));
        }

        return false;
    }

    private void Drop(int index, BpfMap listed)
    {
        var device = attached[index];
        Unhook(index, DeviceHook.Egress);
        guarded.Remove(index);
        listed.Delete(Bytes(index));
        Unhook(index, DeviceHook.Ingress);
        attached.Remove(index);
        unlisted.Remove(index);
        inFront.Forget(index);
        log($"steering: eBPF program off {device.Name} (index {index}): the device is gone, or a port of another one now");
    }

    private void Unhook(int index, DeviceHook hook)
    {
        if (mode == AttachMode.Tcx)
        {
            SteeringPins.RemoveLink(pins.LinkPath(index, hook));
        }
        else
        {
            ClsactHook.Remove(index, hook, options.ClsactPriority);
        }
    }

    /// <summary>What an earlier run left and this one does not use: links of devices that are gone or of the other mode, filters of the other mode, entries.</summary>
    private void Sweep(IReadOnlyList<NetworkDevice> devices, BpfMap listed)
    {
        foreach (var hook in (ReadOnlySpan<DeviceHook>)[DeviceHook.Egress, DeviceHook.Ingress])
        {
            foreach (var (path, device, at) in pins.Links())
            {
                var inUse = mode == AttachMode.Tcx && (at == DeviceHook.Ingress ? attached.ContainsKey(device) : guarded.Contains(device));
                if (at == hook && !inUse)
                {
                    SteeringPins.RemoveLink(path);
                }
            }

            foreach (var device in devices)
            {
                if (mode == AttachMode.Tcx || !attached.ContainsKey(device.Index))
                {
                    ClsactHook.Remove(device.Index, hook, options.ClsactPriority);
                }
            }
        }

        Span<byte> key = stackalloc byte[sizeof(int)];
        var known = new List<int>();
        for (var more = listed.TryNextKey([], key); more; more = listed.TryNextKey(Bytes(known[^1]), key))
        {
            known.Add(MemoryMarshal.Read<int>(key));
        }

        foreach (var index in known)
        {
            if (!attached.ContainsKey(index))
            {
                listed.Delete(Bytes(index));
            }
        }
    }

    private static bool IsLinked(string path, int device)
    {
        using var link = SteeringPins.TryOpen(path);
        return link is not null && BpfInfo.TryReadTcxLink(SteeringPins.Descriptor(link), out var at, out _, out _) && at == device;
    }

    private static byte[] Bytes(int value) => BitConverter.GetBytes(value);

    private static string Name(AttachMode mode) => mode == AttachMode.Tcx ? "tcx" : "clsact";
}
