using System;
using System.Collections.Generic;
using System.Net;
using Postern.Xds.Config;

namespace Postern.Proxy.Listeners;

/// <summary>Listeners that stand in each other's way, or in their own: each wants a port that one of them has, so none can open before another closes.</summary>
internal static class PortExchange
{
    /// <param name="blocked">Listeners whose addresses could not be opened.</param>
    /// <param name="bound">Where the listener of that name is bound now; empty for a new one.</param>
    /// <returns>Those that can go on once they all close; without those that wait for a port which is not theirs to give.</returns>
    public static List<ListenerConfig> Find(IReadOnlyList<ListenerConfig> blocked, Func<string, IReadOnlyList<IPEndPoint>> bound)
    {
        var circle = new List<ListenerConfig>(blocked);
        int before;
        do
        {
            before = circle.Count;
            var held = new HashSet<int>();
            foreach (var config in circle)
            {
                foreach (var address in bound(config.Name))
                {
                    held.Add(address.Port); // the port alone: 0.0.0.0 is in the way of every other address
                }
            }
            circle.RemoveAll(config => !Wants(config, held));
        }
        while (circle.Count < before);
        return circle;
    }

    private static bool Wants(ListenerConfig config, HashSet<int> ports)
    {
        foreach (var address in config.Addresses)
        {
            if (ports.Contains(address.Port))
            {
                return true;
            }
        }
        return false;
    }
}
