namespace Postern.Tproxy.Steering;

/// <summary>How packets that answer a source-preserving upstream connection are caught: they are addressed to the client, not to this node.</summary>
public enum ReturnPath
{
    /// <summary><see cref="SocketMatch"/>, or <see cref="ConnectionMark"/> where the kernel lacks it.</summary>
    Automatic = 0,

    /// <summary>
    /// The kernel looks for a transparent socket that owns the packet (xt_socket). Needs no state, but sees only packets that come in: a server
    /// in this very namespace answers straight to the client, who resets. Leave the source out for such destinations, or use <see cref="ConnectionMark"/>.
    /// </summary>
    SocketMatch = 1,

    /// <summary>Connections the proxy opens are marked in conntrack and their replies caught by that mark (xt_connmark, xt_conntrack), also those of servers on this host.</summary>
    ConnectionMark = 2,
}
