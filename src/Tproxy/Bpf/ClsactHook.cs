using System.Runtime.CompilerServices;

namespace Postern.Tproxy.Bpf;

/// <summary>Programs on devices by filters of the clsact qdisc: handle 1 at one priority. A filter is replaced at once, without a moment between.</summary>
internal static class ClsactHook
{
    private const uint Handle = 1;
    private const int Exists = -17; // EEXIST

    /// <returns>0 or a negative errno.</returns>
    /// <exception cref="TproxyException">Somebody else's filter is in our place.</exception>
    internal static int Attach(int device, string name, DeviceHook hook, int priority, int program)
    {
        using var quiet = Quiet();
        var where = Hook(device, hook);
        var made = Libbpf.TcHookCreate(ref where);
        if (made is not (0 or Exists))
        {
            return made;
        }

        var before = Query(where, priority);
        if (before != 0 && !BpfInfo.IsOurs(before))
        {
            throw new TproxyException($"device {name} has a foreign rule at the same priority: clsact filter {priority} handle {Handle} is program {BpfInfo.Describe(before)}; remove it or choose another ClsactPriority");
        }

        var options = Options(priority);
        options.Program = program;
        options.Flags = before != 0 ? TcOptions.Replace : 0;
        var result = Libbpf.TcAttach(where, ref options);
        return result != Exists ? result : throw new TproxyException($"device {name} has a foreign rule at the same priority: clsact priority {priority} is taken, not by a program; remove it or choose another ClsactPriority");
    }

    internal static bool IsOn(int device, DeviceHook hook, int priority, uint programId)
    {
        using var quiet = Quiet();
        return Query(Hook(device, hook), priority) == programId;
    }

    /// <summary>Whether a program of ours is there, of this run or an earlier one.</summary>
    internal static bool IsOurs(int device, DeviceHook hook, int priority)
    {
        using var quiet = Quiet();
        return Query(Hook(device, hook), priority) is var id and not 0 && BpfInfo.IsOurs(id);
    }

    /// <summary>The qdisc stays: others may hang on it. False if there was no filter of ours.</summary>
    internal static bool Remove(int device, DeviceHook hook, int priority)
    {
        using var quiet = Quiet();
        var where = Hook(device, hook);
        return Query(where, priority) is var id and not 0 && BpfInfo.IsOurs(id) && Libbpf.TcDetach(where, Options(priority)) == 0;
    }

    /// <summary>Program id; 0 if there is none.</summary>
    private static uint Query(in TcHook where, int priority)
    {
        var options = Options(priority);
        return Libbpf.TcQuery(where, ref options) == 0 ? options.ProgramId : 0;
    }

    private static TcHook Hook(int device, DeviceHook hook) => new()
    {
        Size = (nuint)Unsafe.SizeOf<TcHook>(),
        InterfaceIndex = device,
        AttachPoint = hook == DeviceHook.Ingress ? 1 : 2, // BPF_TC_INGRESS, BPF_TC_EGRESS
    };

    private static TcOptions Options(int priority) => new() { Size = (nuint)Unsafe.SizeOf<TcOptions>(), Handle = Handle, Priority = (uint)priority };

    // A question about what is not there makes libbpf write to standard error.
    private static LibbpfLog Quiet() => new(static _ => { });
}
