using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Microsoft.Win32.SafeHandles;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Bpf;

/// <summary>
/// What outlives the process, in the BPF file system: <c>postern/NETNS/maps-LAYOUT/NAME</c> and <c>postern/NETNS/links/IFINDEX-ingress</c> or <c>-egress</c>
/// (tcx; a filter of clsact lives by its device). Maps are only pinned while all of them are, and are in use: that they are whole is what says "adopt".
/// </summary>
internal sealed class SteeringPins
{
    private const string MapFolders = "maps-";

    private readonly string folder;
    private readonly bool exists;

    internal SteeringPins(SteeringOptions options)
    {
        folder = Path.Combine(options.BpfRoot, "postern", SteeringLock.NamespaceNumber());
        exists = BpfFileSystem.IsAt(options.BpfRoot);
    }

    /// <summary>Whether there is anything of ours.</summary>
    internal bool Any => exists && Directory.Exists(folder);

    private string MapFolder => Path.Combine(folder, MapFolders + SteeringLayout.Version.ToString(CultureInfo.InvariantCulture));

    private string LinkFolder => Path.Combine(folder, "links");

    internal string LinkPath(int device, DeviceHook hook) =>
        Path.Combine(LinkFolder, device.ToString(CultureInfo.InvariantCulture) + (hook == DeviceHook.Ingress ? "-ingress" : "-egress"));

    /// <summary>Null if not every map of this layout is there in the right shape.</summary>
    internal SteeringMaps? TryOpenMaps(Action<string> log)
    {
        if (!Any)
        {
            return null;
        }

        try
        {
            return SteeringMaps.Open(Open);
        }
        catch (TproxyException error)
        {
            log($"steering: what an earlier run left is not whole ({error.Message}); its programs go on until there are rules for new maps");
            return null;
        }
    }

    /// <exception cref="TproxyException">The file system refuses.</exception>
    internal void PinMaps(SteeringMaps maps)
    {
        MakeFolder(MapFolder);
        foreach (var map in maps.All)
        {
            Pin(map.Descriptor, Path.Combine(MapFolder, map.Name));
        }
    }

    /// <summary>Of every layout. What programs in use refer to lives on without a name.</summary>
    internal void RemoveMaps() => Try(() =>
    {
        foreach (var path in Any ? Directory.GetDirectories(folder, MapFolders + "*") : [])
        {
            Directory.Delete(path, recursive: true);
        }
    });

    internal void PinLink(int link, int device, DeviceHook hook)
    {
        MakeFolder(LinkFolder);
        Pin(link, LinkPath(device, hook));
    }

    /// <summary>All files among the links; device 0 for names that we do not give.</summary>
    internal IReadOnlyList<(string Path, int Device, DeviceHook Hook)> Links()
    {
        var links = new List<(string, int, DeviceHook)>();
        foreach (var path in Any && Directory.Exists(LinkFolder) ? Directory.GetFileSystemEntries(LinkFolder) : [])
        {
            var name = Path.GetFileName(path);
            var dash = name.IndexOf('-', StringComparison.Ordinal);
            var device = dash > 0 && int.TryParse(name.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : 0;
            var hook = name.EndsWith("-egress", StringComparison.Ordinal) ? DeviceHook.Egress : DeviceHook.Ingress;
            links.Add((path, path == LinkPath(device, hook) ? device : 0, hook));
        }

        return links;
    }

    /// <summary>Takes a link from its device, now, whoever else holds it, and forgets it.</summary>
    internal static void RemoveLink(string path)
    {
        try
        {
            using var link = TryOpen(path);
            // A link would also go with its last pin, but only some time later.
            if (link is not null && BpfInfo.TryReadTcxLink(Descriptor(link), out _, out _, out _))
            {
                // What refuses is off its device already.
                _ = Libbpf.LinkDetach(Descriptor(link));
            }
        }
        catch (Exception error) when (SteeringProgram.LacksLibrary(error))
        {
            // Then the pin is what holds it.
        }

        Forget(path);
    }

    internal static void Forget(string path) => Try(() =>
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }

        File.Delete(path);
    });

    /// <summary>With all that is in it.</summary>
    internal void RemoveFolder() => Forget(folder);

    /// <summary>Null if there is no such pin, or it is none.</summary>
    internal static SafeFileHandle? TryOpen(string path)
    {
        var descriptor = File.Exists(path) ? Libbpf.OpenPin(path) : -1;
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    internal static int Descriptor(SafeFileHandle handle) => (int)handle.DangerousGetHandle();

    private static (BpfMapType Type, int Key, int Value) Shape(string name) => name switch
    {
        "state" => (BpfMapType.Array, 4, SteeringLayout.StateSize),
        "filters" => (BpfMapType.Array, 4, SteeringLayout.FilterSize),
        "flows" => (BpfMapType.LruHash, SteeringLayout.FlowSize, SteeringLayout.MemorySize),
        "devices" => (BpfMapType.Hash, 4, 4),
        "counters" => (BpfMapType.PerCpuArray, 4, 8),
        _ => (BpfMapType.ArrayOfMaps, 4, 4),
    };

    private int Open(string name)
    {
        var path = Path.Combine(MapFolder, name);
        var descriptor = Libbpf.OpenPin(path);
        if (descriptor < 0)
        {
            throw new TproxyException($"{path}: {BpfMap.Because(descriptor)}");
        }

        if (BpfInfo.TryReadMap(descriptor, out var type, out var key, out var value) && (type, key, value) == Shape(name))
        {
            return descriptor;
        }

        new SafeFileHandle(descriptor, ownsHandle: true).Dispose();
        throw new TproxyException($"{path} is another thing than our map");
    }

    private static void Pin(int descriptor, string path)
    {
        Forget(path);
        var result = Libbpf.Pin(descriptor, path);
        if (result != 0)
        {
            throw new TproxyException($"cannot pin {path}: {BpfMap.Because(result)}");
        }
    }

    private static void MakeFolder(string path) => Try(() =>
    {
        if (File.Exists(path))
        {
            File.Delete(path);
        }

        Directory.CreateDirectory(path);
    });

    private static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (DirectoryNotFoundException)
        {
            // What is to be gone is gone.
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new TproxyException($"cannot change the pins of eBPF steering: {error.Message}", error);
        }
    }
}
