using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Diagnosis;

/// <summary>Looks at pins, attached programs and counters of the calling thread's network namespace, and changes nothing.</summary>
public static class BpfDiagnosis
{
    /// <summary>Of the program that steers, as the kernel knows it.</summary>
    public const string IngressProgram = "postern_ingress";

    /// <summary>Of the program that drops what came in past it.</summary>
    public const string GuardProgram = "postern_guard";

    private const int MostPrograms = 64; // BPF_MPROG_MAX
    private const int InvalidArgument = -22; // before 6.6: no such hook
    private const int NoEntry = -2;
    private const int NoDevice = -19;
    private const int TcxIngress = 46; // BPF_TCX_INGRESS
    private const int TcxEgress = 47; // BPF_TCX_EGRESS

    /// <param name="options">Where the pins are.</param>
    /// <param name="links">Devices to look at.</param>
    public static BpfFacts Read(SteeringOptions options, IReadOnlyList<LinkFacts> links)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(links);
        var folder = Path.Combine(options.BpfRoot, "postern", SteeringLock.NamespaceNumber());
        var blind = new List<string>();
        var maps = new List<string>();
        var missing = new List<string>();
        var devices = new List<AttachedPrograms>();
        IReadOnlyDictionary<SteeringCounter, long> counters = new Dictionary<SteeringCounter, long>();
        try
        {
            var pins = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"maps-{SteeringLayout.Version}"));
            foreach (var name in SteeringMaps.Names)
            {
                (File.Exists(Path.Combine(pins, name)) ? maps : missing).Add(name);
            }

            var registered = maps.Contains("devices") ? Keys(Path.Combine(pins, "devices")) : [];
            counters = maps.Contains("counters") ? Counters(Path.Combine(pins, "counters")) : counters;
            foreach (var link in links)
            {
                devices.Add(new AttachedPrograms(
                    link.Index,
                    Programs(link.Index, TcxIngress, DeviceHook.Ingress, options, IngressProgram),
                    Programs(link.Index, TcxEgress, DeviceHook.Egress, options, GuardProgram),
                    registered.Contains(link.Index)));
            }
        }
        catch (Exception error) when (error is TproxyException or DllNotFoundException or EntryPointNotFoundException or IOException or UnauthorizedAccessException)
        {
            blind.Add($"BPF programs and maps: {error.Message}");
        }

        return new BpfFacts { Folder = folder, Maps = maps, MissingMaps = missing, Devices = devices, Counters = counters, Blind = blind };
    }

    private static BpfMap Open(string path, int keySize, int valueSize)
    {
        var descriptor = Libbpf.OpenPin(path);
        return descriptor >= 0
            ? new BpfMap(descriptor, path, keySize, valueSize)
            : throw new TproxyException($"{path} cannot be opened: {BpfMap.Because(descriptor)}");
    }

    private static HashSet<int> Keys(string path)
    {
        using var map = Open(path, sizeof(uint), sizeof(uint));
        var keys = new HashSet<int>();
        Span<byte> next = stackalloc byte[sizeof(uint)];
        var key = Span<byte>.Empty;
        // A map that changes under the walk starts again; a device cannot be met more often than there are entries.
        for (var i = 0; i < ushort.MaxValue && map.TryNextKey(key, next); i++)
        {
            keys.Add(MemoryMarshal.Read<int>(next));
            key = next.ToArray();
        }

        return keys;
    }

    private static IReadOnlyDictionary<SteeringCounter, long> Counters(string path)
    {
        using var map = Open(path, sizeof(uint), SteeringMaps.CounterSize);
        return SteeringCounters.Read(map);
    }

    private static List<string> Programs(int device, int hook, DeviceHook side, SteeringOptions options, string ours)
    {
        Span<uint> ids = stackalloc uint[MostPrograms];
        uint count = MostPrograms;
        var result = Libbpf.ProgramQuery(device, hook, 0, out _, ids, ref count);
        var names = new List<string>();
        if (result is not (0 or InvalidArgument or NoEntry or NoDevice)) // no such hook in this kernel, nothing there, or the device has gone
        {
            throw new TproxyException($"programs of device {device} cannot be listed: {BpfMap.Because(result)}; run as root or with CAP_BPF and CAP_NET_ADMIN");
        }

        foreach (var id in result == 0 ? ids[..(int)Math.Min(count, MostPrograms)] : [])
        {
            names.Add(BpfInfo.NameOfProgram(id) is { Length: > 0 } name ? name : string.Create(CultureInfo.InvariantCulture, $"#{id}"));
        }

        if (ClsactHook.IsOurs(device, side, options.ClsactPriority))
        {
            names.Add(ours);
        }

        return names;
    }
}
