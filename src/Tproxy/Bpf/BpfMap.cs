using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Postern.Tproxy.Bpf;

/// <summary>One BPF map, by file descriptor. Keys and values are the bytes of native/steering.h; their lengths are the caller's to get right and are checked.</summary>
internal sealed class BpfMap : IDisposable
{
    internal const uint NoPreallocation = 1; // BPF_F_NO_PREALLOC, which LPM tries demand

    private const int NotFound = -2; // ENOENT
    private const int Full = -7; // E2BIG

    private readonly SafeFileHandle handle;
    private readonly int keySize;
    private readonly int valueSize;

    /// <param name="descriptor">Taken over.</param>
    /// <param name="name">For messages.</param>
    /// <param name="keySize">Bytes.</param>
    /// <param name="valueSize">Bytes as user space sees them: those of a per-CPU map are rounded up to 8, times the possible CPUs.</param>
    internal BpfMap(int descriptor, string name, int keySize, int valueSize)
    {
        handle = new SafeFileHandle(descriptor, ownsHandle: true);
        Name = name;
        this.keySize = keySize;
        this.valueSize = valueSize;
    }

    internal string Name { get; }

    internal int Descriptor => (int)handle.DangerousGetHandle();

    /// <exception cref="TproxyException">No right to, or no memory.</exception>
    internal static BpfMap Create(BpfMapType type, string name, int keySize, int valueSize, int maxEntries, uint flags = 0, int innerMap = 0)
    {
        var options = new MapCreateOptions { Size = (nuint)Unsafe.SizeOf<MapCreateOptions>(), MapFlags = flags, InnerMapFd = (uint)innerMap };
        var descriptor = Libbpf.MapCreate(type, name, (uint)keySize, (uint)valueSize, (uint)maxEntries, options);
        return descriptor >= 0
            ? new BpfMap(descriptor, name, keySize, valueSize)
            : throw new TproxyException($"cannot make the BPF map {name} of {maxEntries} entries: {Because(descriptor)}");
    }

    /// <summary>Sets an element, new or old.</summary>
    /// <exception cref="TproxyException">The map is full, or the kernel has no memory.</exception>
    internal void Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Demand(key.Length == keySize && value.Length == valueSize);
        var result = Libbpf.MapUpdate(Descriptor, key, value, 0);
        if (result != 0)
        {
            throw new TproxyException($"cannot write to the BPF map {Name}: {(result == Full ? "it is full" : Because(result))}");
        }
    }

    /// <summary>False if there is none.</summary>
    internal bool TryLookup(ReadOnlySpan<byte> key, Span<byte> value)
    {
        Demand(key.Length == keySize && value.Length == valueSize);
        return Found(Libbpf.MapLookup(Descriptor, key, value), "read");
    }

    /// <summary>False if there was none.</summary>
    internal bool Delete(ReadOnlySpan<byte> key)
    {
        Demand(key.Length == keySize);
        return Found(Libbpf.MapDelete(Descriptor, key), "delete from");
    }

    /// <summary>The key after <paramref name="key"/>, the first one for an empty span. False at the end.</summary>
    internal bool TryNextKey(ReadOnlySpan<byte> key, Span<byte> next)
    {
        Demand((key.IsEmpty || key.Length == keySize) && next.Length == keySize);
        return Found(Libbpf.MapNextKey(Descriptor, key, next), "walk");
    }

    public void Dispose() => handle.Dispose();

    internal static string Because(int result) => new System.ComponentModel.Win32Exception(-result).Message + $" (errno {-result})";

    private bool Found(int result, string what) => result switch
    {
        0 => true,
        NotFound => false,
        _ => throw new TproxyException($"cannot {what} the BPF map {Name}: {Because(result)}"),
    };

    private void Demand(bool fits)
    {
        if (!fits)
        {
            throw new ArgumentException($"key or value of the BPF map {Name} has another length than {keySize} and {valueSize}");
        }
    }
}
