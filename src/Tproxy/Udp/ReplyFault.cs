namespace Postern.Tproxy.Udp;

/// <summary>Why a reply did not go out.</summary>
public enum ReplyFault
{
    /// <summary>It went out, as far as this host is concerned.</summary>
    None,

    /// <summary>Longer than a UDP datagram of the family (65,507 bytes over IPv4, 65,527 over IPv6) or than the batch's room, or than the kernel takes.</summary>
    TooLarge,

    /// <summary>Another family than the sender's, a port 0, a multicast source or whatever else the kernel calls invalid.</summary>
    Invalid,

    /// <summary>The batch holds no more.</summary>
    BatchFull,

    /// <summary>The socket's send buffer is full (ENOBUFS, EAGAIN).</summary>
    BufferFull,

    /// <summary>The kernel has no memory (ENOMEM).</summary>
    NoMemory,

    /// <summary>A firewall rule dropped it (EPERM), or the destination is a broadcast address (EACCES).</summary>
    Denied,

    /// <summary>There is no route to the client.</summary>
    Unreachable,

    Other,
}
