using System;
using System.IO;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Postern.Tproxy.Native;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Bpf;

/// <summary>The two programs of native/tproxy_bpf.c, loaded but attached to nothing, and their maps. They live as long as a descriptor, a pin or an attachment holds them.</summary>
internal sealed class SteeringProgram : IDisposable
{
    private const string Resource = "tproxy_bpf.o";

    // The verifier gives up with EAGAIN when a signal comes in, such as the end of any child process; libbpf itself tries five times.
    private const int TryAgain = 11; // EAGAIN
    private const int MostAttempts = 20;

    private readonly SafeFileHandle ingress;
    private readonly SafeFileHandle guard;

    private SteeringProgram(SteeringMaps maps, int ingress, int guard)
    {
        Maps = maps;
        this.ingress = new SafeFileHandle(ingress, ownsHandle: true);
        this.guard = new SafeFileHandle(guard, ownsHandle: true);
    }

    /// <summary>Disposed with this, the adopted ones, too.</summary>
    internal SteeringMaps Maps { get; }

    /// <summary>Descriptor of postern_ingress, of type BPF_PROG_TYPE_SCHED_CLS.</summary>
    internal int Ingress => (int)ingress.DangerousGetHandle();

    /// <summary>Descriptor of postern_guard, of the same type.</summary>
    internal int Guard => (int)guard.DangerousGetHandle();

    /// <param name="adopted">The maps to use, taken over if the load succeeds; null: new ones, empty, so that everything passes.</param>
    /// <param name="options">For the size of a new map of flows.</param>
    /// <param name="log">libbpf's warnings and, if the verifier refuses, its whole log, line by line.</param>
    /// <exception cref="TproxyException">One line: no libbpf, no right, or the kernel refuses.</exception>
    internal static SteeringProgram Load(SteeringMaps? adopted, SteeringOptions options, Action<string> log)
    {
        if (options.Program is { } other)
        {
            return Load(other, adopted, options, log);
        }

        using var stream = typeof(SteeringProgram).Assembly.GetManifestResourceStream(Resource)
            ?? throw new TproxyException($"this build of Postern.Tproxy holds no {Resource}; build it again");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return Load(bytes, adopted, options, log);
    }

    /// <summary>As the other one, of any object file.</summary>
    internal static SteeringProgram Load(ReadOnlySpan<byte> bytes, SteeringMaps? adopted, SteeringOptions options, Action<string> log)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (TryLoad(bytes, adopted, options, log, isLast: attempt == MostAttempts) is { } program)
            {
                return program;
            }
        }
    }

    /// <summary>Null if it was interrupted and this is not the last attempt.</summary>
    private static SteeringProgram? TryLoad(ReadOnlySpan<byte> bytes, SteeringMaps? adopted, SteeringOptions options, Action<string> log, bool isLast)
    {
        nint bpfObject = 0;
        try
        {
            using var said = new LibbpfLog(log);
            bpfObject = Libbpf.ObjectOpen(bytes, (nuint)bytes.Length, 0);
            if (bpfObject == 0)
            {
                throw new TproxyException(LoadFault.Open(Marshal.GetLastPInvokeError(), said.Lines));
            }

            if (Libbpf.ObjectBtf(bpfObject) == 0)
            {
                throw new TproxyException(LoadFault.Open(0, ["no BTF section"]));
            }

            Prepare(bpfObject, adopted, options);
            var result = Libbpf.ObjectLoad(bpfObject);
            if (result == -TryAgain && !isLast)
            {
                return null;
            }

            return result == 0 ? Take(bpfObject, adopted) : throw new TproxyException(LoadFault.Load(-result, said.Lines));
        }
        catch (Exception error) when (LacksLibrary(error))
        {
            throw new TproxyException(LoadFault.NoLibrary, error);
        }
        finally
        {
            if (bpfObject != 0)
            {
                Libbpf.ObjectClose(bpfObject);
            }
        }
    }

    /// <summary>libbpf.so.1 is not there, or one that is too old for a call. The first call of all may stand in a type's initializer.</summary>
    internal static bool LacksLibrary(Exception error) =>
        (error is TypeInitializationException { InnerException: { } inner } ? inner : error) is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException;

    public void Dispose()
    {
        ingress.Dispose();
        guard.Dispose();
        Maps.Dispose();
    }

    private static void Prepare(nint bpfObject, SteeringMaps? adopted, SteeringOptions options)
    {
        if (adopted is null)
        {
            Must("flows", Libbpf.MapSetMaxEntries(Map(bpfObject, "flows"), (uint)options.FlowEntries));
            return;
        }

        foreach (var map in adopted.All)
        {
            Must(map.Name, Libbpf.MapReuse(Map(bpfObject, map.Name), map.Descriptor));
        }
    }

    private static SteeringProgram Take(nint bpfObject, SteeringMaps? adopted)
    {
        var ingress = Libc.Duplicate(Libbpf.ProgramDescriptor(Program(bpfObject, "postern_ingress")));
        var guard = Libc.Duplicate(Libbpf.ProgramDescriptor(Program(bpfObject, "postern_guard")));
        var maps = adopted ?? SteeringMaps.Open(name => Libc.Duplicate(Libbpf.MapDescriptor(Map(bpfObject, name))));
        return new SteeringProgram(maps, ingress, guard);
    }

    private static nint Map(nint bpfObject, string name) =>
        Libbpf.ObjectMap(bpfObject, name) is var map and not 0 ? map : throw new TproxyException($"the steering program has no map '{name}'; build Postern.Tproxy again");

    private static nint Program(nint bpfObject, string name) =>
        Libbpf.ObjectProgram(bpfObject, name) is var program and not 0 ? program : throw new TproxyException($"the steering program has no '{name}'; build Postern.Tproxy again");

    private static void Must(string map, int result)
    {
        if (result != 0)
        {
            throw new TproxyException($"cannot use the BPF map {map}: {BpfMap.Because(result)}");
        }
    }
}
