using System.Net;

namespace Postern.Tproxy.Udp;

/// <summary>What a receiving UDP socket is to be.</summary>
/// <param name="Address">IPv4 or IPv6 address and port; port 0 lets the kernel choose. Steered listeners bind 127.0.0.1 or ::1.</param>
public sealed record UdpListenerSpec(IPEndPoint Address)
{
    /// <summary>IP_TRANSPARENT / IPV6_TRANSPARENT: may take datagrams to addresses that are not this host's. Needs CAP_NET_ADMIN.</summary>
    public bool Transparent { get; init; }

    /// <summary>SO_MARK; see <see cref="ProxyMark.Listener"/>. Null leaves the mark alone. Needs CAP_NET_ADMIN.</summary>
    public uint? Mark { get; init; }

    /// <summary>SO_REUSEPORT: several sockets of the same user share the port. Must be off where eBPF assigns sockets (sk_assign).</summary>
    public bool ReusePort { get; init; }

    /// <summary>The receive queue, in bytes; the kernel counts its own overhead (about 768 bytes for a small datagram) against twice this. 0 leaves net.core.rmem_default.</summary>
    public int ReceiveBufferBytes { get; init; }
}
