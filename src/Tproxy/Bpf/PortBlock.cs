using System.Collections.Generic;
using System.Numerics;

namespace Postern.Tproxy.Bpf;

/// <summary>Ports that agree in their leading bits, as an address prefix does.</summary>
/// <param name="Port">First port; the bits behind the length are zero.</param>
/// <param name="Length">Leading bits that count, 0 to 16.</param>
internal readonly record struct PortBlock(ushort Port, byte Length)
{
    private const int Bits = 16;

    /// <summary>
    /// The fewest blocks that are together the interval, ascending. One that begins at 1 takes 0 in: nobody can listen on or connect to port 0, and so
    /// all ports are one block, where without 0 they would be sixteen. So port 0 is decided as port 1 is.
    /// </summary>
    /// <param name="first">First port.</param>
    /// <param name="last">Last port, inclusive.</param>
    /// <param name="into">Is cleared.</param>
    internal static void Split(ushort first, ushort last, List<PortBlock> into)
    {
        into.Clear();
        var port = first == 1 ? 0 : (int)first;
        while (port <= last)
        {
            var aligned = port == 0 ? Bits : BitOperations.TrailingZeroCount(port);
            var free = BitOperations.Log2((uint)(last - port + 1));
            var size = aligned < free ? aligned : free;
            into.Add(new((ushort)port, (byte)(Bits - size)));
            port += 1 << size;
        }
    }
}
