using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.NetworkInformation;

namespace Postern.Agent.Identities;

/// <summary>Addresses of this node's interfaces, which are identity 1.</summary>
internal static class HostAddresses
{
    /// <summary>As they are now, sorted; without link-local ones, which mean another host on every link. Empty when they cannot be read.</summary>
    public static IReadOnlyCollection<IPAddress> Read()
    {
        try
        {
            return [.. NetworkInterface.GetAllNetworkInterfaces()
                .SelectMany(link => link.GetIPProperties().UnicastAddresses)
                .Select(one => one.Address)
                .Where(address => !address.IsIPv6LinkLocal)
                .Distinct()
                .OrderBy(address => address.ToString(), StringComparer.Ordinal)];
        }
        catch (NetworkInformationException)
        {
            return [];
        }
    }
}
