using System.Net;

namespace Postern.Tproxy;

/// <summary>Decides with which source address an upstream connection goes out.</summary>
public static class SourceBinding
{
    /// <summary>
    /// The address to bind, or null for the kernel's choice. A wanted source is left out if it is unspecified, of the other family (nothing
    /// could be bound), or equal to the destination's address: replies would then be the kernel's own traffic and never come to the proxy.
    /// v4-mapped addresses count as IPv4.
    /// </summary>
    public static IPAddress? Choose(IPAddress? wanted, IPAddress destination)
    {
        if (wanted is null)
        {
            return null;
        }

        var source = Normalise(wanted);
        var target = Normalise(destination);
        return source.AddressFamily != target.AddressFamily
            || source.Equals(IPAddress.Any)
            || source.Equals(IPAddress.IPv6Any)
            || source.Equals(target)
            ? null
            : source;
    }

    internal static IPAddress Normalise(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    internal static IPEndPoint Normalise(IPEndPoint endPoint) =>
        endPoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endPoint.Address.MapToIPv4(), endPoint.Port) : endPoint;
}
