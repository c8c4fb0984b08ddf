using System.Net;
using System.Net.Sockets;

namespace Postern.Tproxy.Steering;

/// <summary>What differs between the IPv4 and the IPv6 half of the steering.</summary>
internal sealed class IpFamily
{
    internal static readonly IpFamily V4 = new("IPv4", "-4", "iptables", AddressFamily.InterNetwork);

    internal static readonly IpFamily V6 = new("IPv6", "-6", "ip6tables", AddressFamily.InterNetworkV6);

    private readonly AddressFamily addresses;

    private IpFamily(string name, string ipFlag, string iptables, AddressFamily addresses)
    {
        Name = name;
        IpFlag = ipFlag;
        Iptables = iptables;
        this.addresses = addresses;
    }

    internal string Name { get; }

    internal string IpFlag { get; }

    internal string Iptables { get; }

    internal bool Owns(IPAddress address) => address.AddressFamily == addresses;

    public override string ToString() => Name;
}
