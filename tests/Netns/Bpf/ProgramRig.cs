using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Postern.Netns.Fixture;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Netns.Bpf;

/// <summary>The program, loaded, in a namespace of its own, where it runs by BPF_PROG_TEST_RUN.</summary>
internal sealed class ProgramRig : IDisposable
{
    private readonly NetworkNamespace space = new("program");
    private readonly List<string> log = [];

    internal ProgramRig()
    {
        try
        {
            Program = SteeringProgram.Load(null, new SteeringOptions(), log.Add);
        }
        catch
        {
            space.Dispose();
            throw;
        }
    }

    internal SteeringProgram Program { get; }

    internal SteeringMaps Maps => Program.Maps;

    internal Trial Ingress(byte[] frame, uint mark = 0, int repeat = 1) => space.Inside(() => Trial.Run(Program.Ingress, frame, mark, repeat: repeat));

    internal Trial Guard(byte[] frame, uint cameInBy, uint mark = 0) => space.Inside(() => Trial.Run(Program.Guard, frame, mark, cameInBy));

    internal T Inside<T>(Func<T> action) => space.Inside(action);

    internal Socket Listen(string address, ushort port) => space.Inside(() =>
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), port));
        socket.Listen();
        return socket;
    });

    internal IReadOnlyDictionary<SteeringCounter, long> Counters() => SteeringCounters.Read(Maps.Counters);

    /// <summary>The counters that are not zero, as text.</summary>
    internal string Counted() => string.Join(' ', Counters().Where(pair => pair.Value != 0).Select(pair => $"{pair.Key}={pair.Value}"));

    /// <summary>No rules, no flows, no devices, no counts.</summary>
    internal void Reset()
    {
        new HandWrittenSet().Write(Maps);
        foreach (var (map, keySize) in new[] { (Maps.Flows, SteeringLayout.FlowSize), (Maps.Devices, sizeof(uint)) })
        {
            var key = new byte[keySize];
            while (map.TryNextKey([], key))
            {
                map.Delete(key);
            }
        }

        foreach (var counter in Enum.GetValues<SteeringCounter>())
        {
            Maps.Counters.Update(HandWrittenSet.Number((uint)counter), new byte[SteeringMaps.CounterSize]);
        }
    }

    public void Dispose()
    {
        Program.Dispose();
        space.Dispose();
    }
}
