using System.Net;

namespace Postern.Tproxy.Udp;

/// <summary>What an upstream UDP socket is to be.</summary>
/// <param name="Destination">Whom it asks; answers of nobody else are taken.</param>
public sealed record UdpUpstreamSpec(IPEndPoint Destination)
{
    /// <summary>
    /// The address to appear with, usually the client's, and its port; port 0 lets the kernel choose one, null the address too.
    /// Left out where <see cref="SourceBinding"/> leaves out an address. Needs CAP_NET_ADMIN.
    /// </summary>
    public IPEndPoint? Source { get; init; }

    /// <summary>SO_MARK, see <see cref="ProxyMark.For"/>. Null leaves the mark alone. Needs CAP_NET_ADMIN.</summary>
    public uint? Mark { get; init; }
}
