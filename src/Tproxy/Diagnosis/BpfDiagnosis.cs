using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
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
    private const int NameOffset = 64; // of struct bpf_prog_info
    private const int NameSize = 16;

    /// <param name="options">Where the pins are.</param>
    /// <param name="links">Devices to look at.</param>
    public static BpfFacts Read(SteeringOptions options, IReadOnlyList<LinkFacts> links)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(links);
        var folder = Folder(options);
        var blind = new List<string>();
        var maps = new List<string>();
        var missing = new List<string>();
        var devices = new List<DevicePrograms>();
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
                devices.Add(new DevicePrograms(
                    link.Index,
                    Programs(link.Index, Libbpf.TcxIngress),
                    Programs(link.Index, Libbpf.TcxEgress),
                    registered.Contains(link.Index),
                    File.Exists(Path.Combine(folder, "links", $"{link.Index}-ingress")),
                    File.Exists(Path.Combine(folder, "links", $"{link.Index}-egress"))));
            }
        }
        catch (Exception error) when (error is TproxyException or DllNotFoundException or EntryPointNotFoundException or IOException or UnauthorizedAccessException)
        {
            blind.Add($"BPF programs and maps: {error.Message}");
        }

        return new BpfFacts { Folder = folder, Maps = maps, MissingMaps = missing, Devices = devices, Counters = counters, Blind = blind };
    }

    /// <summary>Where the pins of this thread's network namespace are.</summary>
    internal static string Folder(SteeringOptions options)
    {
        var name = new FileInfo("/proc/thread-self/ns/net").LinkTarget ?? "net:[0]";
        return Path.Combine(options.BpfRoot, "postern", name.Replace("net:[", string.Empty, StringComparison.Ordinal).TrimEnd(']'));
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

    private static Dictionary<SteeringCounter, long> Counters(string path)
    {
        var values = new byte[Math.Max(1, Libbpf.PossibleCpus()) * sizeof(long)];
        using var map = Open(path, sizeof(uint), values.Length);
        var sums = new Dictionary<SteeringCounter, long>();
        Span<byte> key = stackalloc byte[sizeof(uint)];
        foreach (var counter in Enum.GetValues<SteeringCounter>())
        {
            var number = (uint)counter;
            MemoryMarshal.Write(key, in number);
            if (map.TryLookup(key, values))
            {
                long sum = 0;
                foreach (var value in MemoryMarshal.Cast<byte, long>(values.AsSpan()))
                {
                    sum += value;
                }

                sums[counter] = sum;
            }
        }

        return sums;
    }

    private static List<string> Programs(int device, int hook)
    {
        Span<uint> ids = stackalloc uint[MostPrograms];
        uint count = MostPrograms;
        var result = Libbpf.QueryPrograms(device, hook, 0, out _, ids, ref count);
        if (result is InvalidArgument or NoEntry or NoDevice)
        {
            return []; // no such hook in this kernel, nothing attached, or the device has gone
        }

        if (result < 0)
        {
            throw new TproxyException($"programs of device {device} cannot be listed: {BpfMap.Because(result)}; run as root or with CAP_BPF and CAP_NET_ADMIN");
        }

        var names = new List<string>();
        foreach (var id in ids[..(int)Math.Min(count, MostPrograms)])
        {
            names.Add(NameOf(id));
        }

        return names;
    }

    private static string NameOf(uint id)
    {
        var descriptor = Libbpf.ProgramById(id);
        if (descriptor < 0)
        {
            return string.Create(CultureInfo.InvariantCulture, $"#{id}");
        }

        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        Span<byte> info = stackalloc byte[NameOffset + NameSize];
        info.Clear(); // what is not zero would be a request for instructions and maps
        var length = (uint)info.Length;
        var name = Libbpf.DescribeProgram(descriptor, info, ref length) == 0 ? Encoding.ASCII.GetString(info[NameOffset..]).TrimEnd('\0') : string.Empty;
        return name.Length > 0 ? name : string.Create(CultureInfo.InvariantCulture, $"#{id}");
    }
}
