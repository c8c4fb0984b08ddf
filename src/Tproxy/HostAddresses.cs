using System.Collections.Generic;
using System.Net;
using System.Net.NetworkInformation;

namespace Postern.Tproxy;

/// <summary>The addresses of this host's interfaces, in the calling thread's network namespace.</summary>
public static class HostAddresses
{
    /// <summary>A snapshot; addresses come and go, so read it anew when links change.</summary>
    public static IReadOnlySet<IPAddress> Read()
    {
        var addresses = new HashSet<IPAddress>();
        foreach (var link in NetworkInterface.GetAllNetworkInterfaces())
        {
            foreach (var unicast in link.GetIPProperties().UnicastAddresses)
            {
                addresses.Add(unicast.Address);
            }
        }

        return addresses;
    }
}
