using System.Net.Sockets;

namespace Postern.Tproxy.Udp;

/// <summary>What a socket for replies is to be.</summary>
/// <param name="Family">IPv4 or IPv6; a sender serves one.</param>
public sealed record ReplySenderSpec(AddressFamily Family)
{
    /// <summary>SO_MARK: tells the datapath that this is the proxy's own traffic, which is not steered again. Null leaves the mark alone.</summary>
    public uint? Mark { get; init; } = ProxyMark.Listener(ProxyDirection.Egress);

    /// <summary>The send buffer, in bytes. 0 leaves net.core.wmem_default.</summary>
    public int SendBufferBytes { get; init; }
}
