using System.Net;

namespace Postern.Tproxy;

/// <summary>What an upstream socket is to be.</summary>
/// <param name="Destination">Where the caller will connect to.</param>
public sealed record UpstreamSpec(IPEndPoint Destination)
{
    /// <summary>The address to appear with, usually the client's; null lets the kernel choose. See <see cref="SourceBinding"/> for when it is left out.</summary>
    public IPAddress? Source { get; init; }

    /// <summary>SO_MARK, see <see cref="ProxyMark.For"/>. Null leaves the mark alone. Needs CAP_NET_ADMIN.</summary>
    public uint? Mark { get; init; }

    /// <summary>SO_LINGER in seconds, 0–65535; 0 resets on close so that the 4-tuple is free at once. Null leaves the default.</summary>
    public int? LingerSeconds { get; init; }
}
