using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Postern.Netns.Fixture;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Netns.Bpf;

/// <summary>eBPF steering of one namespace, with a BPF file system, a lock folder and a log of its own.</summary>
internal sealed class EbpfRig : IDisposable
{
    private readonly NetworkNamespace _node;
    private readonly string _folder = Directory.CreateTempSubdirectory("pst-bpf-").FullName;

    internal EbpfRig(NetworkNamespace node, AttachMode mode = AttachMode.Automatic)
    {
        _node = node;
        Options = SteeringOptions.Default with
        {
            Attach = mode,
            BpfRoot = Path.Combine(_folder, "bpf"),
            LockDirectory = Path.Combine(_folder, "locks"),
            CommandTimeout = TimeSpan.FromSeconds(5),
        };
    }

    internal SteeringOptions Options { get; set; }

    internal ConcurrentQueue<string> Log { get; } = new();

    internal EbpfSteering? Steering { get; private set; }

    /// <summary>Of this namespace.</summary>
    internal string Pins => Path.Combine(Options.BpfRoot, "postern", _node.Inside(SteeringLock.NamespaceNumber));

    internal string MapPins => Path.Combine(Pins, "maps-2");

    /// <summary>Names of the devices that have the program.</summary>
    internal string Devices => string.Join(' ', Steering!.Attached.Select(device => device.Name).Order(StringComparer.Ordinal));

    internal void Claim() => _node.Inside(() => (Steering ??= Make()).Claim());

    internal void Replace(params string[] rules) => _node.Inside(() => (Steering ??= Make()).Replace(rules.Select(SteeringRule.Parse).ToList()));

    internal void Remove() => _node.Inside(() => Steering!.Remove());

    /// <summary>As a killed process: programs, maps and pins stay, the lock is free.</summary>
    internal void Crash()
    {
        Steering!.Abandon();
        Steering = null;
    }

    internal EbpfSteering Make() => new(Options, Log.Enqueue);

    internal bool Logged(string part) => Log.Any(line => line.Contains(part, StringComparison.Ordinal));

    internal void WaitForDevices(string names) => Wait.Until(() => Devices == names, () => $"programs on '{Devices}', not '{names}':\n{string.Join('\n', Log)}");

    /// <summary>Pin of each link, and the link's id: another id is another link, so that there was a moment without.</summary>
    internal IReadOnlyDictionary<string, uint> Links()
    {
        var links = new SortedDictionary<string, uint>(StringComparer.Ordinal);
        var folder = Path.Combine(Pins, "links");
        foreach (var path in Directory.Exists(folder) ? Directory.GetFiles(folder) : [])
        {
            using var link = SteeringPins.TryOpen(path)!;
            var info = new byte[24];
            var length = (uint)info.Length;
            Assert.Equal(0, Libbpf.ObjectInfo(SteeringPins.Descriptor(link), info, ref length));
            links.Add(Path.GetFileName(path), BitConverter.ToUInt32(info, 4));
        }

        return links;
    }

    internal IEnumerable<string> Maps => Directory.Exists(MapPins) ? Directory.GetFiles(MapPins).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal) : [];

    internal int IndexOf(string device) => int.Parse(_node.Ip($"-o link show {device}").Split(':')[0], System.Globalization.CultureInfo.InvariantCulture);

    public void Dispose()
    {
        if (Steering is not null)
        {
            _node.Inside(Steering.Dispose);
        }

        if (BpfFileSystem.IsAt(Options.BpfRoot))
        {
            _node.Run("umount", Options.BpfRoot).OrThrow();
        }

        Directory.Delete(_folder, recursive: true);
    }
}
