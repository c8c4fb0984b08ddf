using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Bpf;

/// <summary>The program's counters. They never go back while the map lives.</summary>
internal static class SteeringCounters
{
    private static readonly SteeringCounter[] All = Enum.GetValues<SteeringCounter>();

    /// <summary>Packets, summed over the CPUs; every counter is in it. Each is read by itself: the sums of two need not fit together.</summary>
    /// <exception cref="TproxyException">The map cannot be read.</exception>
    internal static IReadOnlyDictionary<SteeringCounter, long> Read(BpfMap counters)
    {
        var sums = new Dictionary<SteeringCounter, long>(All.Length);
        var values = new byte[SteeringMaps.CounterSize];
        Span<byte> key = stackalloc byte[sizeof(int)];
        foreach (var counter in All)
        {
            BinaryPrimitives.WriteInt32LittleEndian(key, (int)counter);
            long sum = 0;
            if (counters.TryLookup(key, values))
            {
                foreach (var value in MemoryMarshal.Cast<byte, long>(values))
                {
                    sum += value;
                }
            }

            sums[counter] = sum;
        }

        return sums;
    }
}
