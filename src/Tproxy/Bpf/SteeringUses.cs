using System;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Bpf;

/// <summary>Notes the keys that are written, by class, and for rules that name no address; makes the filter.</summary>
/// <param name="classes">Their number.</param>
internal sealed class SteeringUses(int classes)
{
    private readonly ClassUse[] uses = new ClassUse[classes + 1]; // by class; 0 is everybody

    internal ClassUse this[uint id] => uses[id];

    internal void Add(RuleCombination combination, byte portLength)
    {
        var (_, source, destination, _) = combination;
        switch (source, destination)
        {
            case (0, 0):
                uses[0].Add(0, combination, portLength);
                break;
            case (_, 0):
                uses[source].Add(SteeringLayout.RoleSource, combination, portLength);
                break;
            case (0, _):
                uses[destination].Add(SteeringLayout.RoleDestination, combination, portLength);
                break;
            default:
                uses[source].Add(SteeringLayout.RolePairSource, combination, portLength);
                uses[destination].Add(SteeringLayout.RolePairDestination, combination, portLength);
                break;
        }
    }

    /// <summary>struct postern_filter.</summary>
    internal byte[] Filter(PrefixClasses classes)
    {
        var filter = new byte[SteeringLayout.FilterSize];
        var head = MemoryMarshal.Cast<byte, uint>(filter.AsSpan());
        var everybody = uses[0];
        head[1] = everybody.LengthsTcp;
        head[2] = everybody.LengthsUdp;
        if ((everybody.LengthsTcp | everybody.LengthsUdp) != 0)
        {
            head[0] |= SteeringLayout.FilterEverybody;
            head[0] |= (everybody.Roles & SteeringLayout.RoleDevice) != 0 ? SteeringLayout.FilterEverybodyDevice : 0;
        }

        var addresses = MemoryMarshal.Cast<byte, ulong>(filter.AsSpan(4 * sizeof(uint)));
        for (var id = 1u; id <= classes.Count; id++)
        {
            var prefix = classes.Prefix(id);
            if (prefix.IsHost)
            {
                var bit = prefix.FilterBit();
                addresses[bit / 64] |= 1ul << (bit % 64);
            }
            else
            {
                head[0] |= prefix.Version == 4 ? SteeringLayout.FilterPrefixes4 : SteeringLayout.FilterPrefixes6;
            }
        }

        return filter;
    }
}
