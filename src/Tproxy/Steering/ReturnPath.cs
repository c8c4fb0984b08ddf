namespace Postern.Tproxy.Steering;

/// <summary>How packets that answer a source-preserving upstream connection are caught: they are addressed to the client, not to this node.</summary>
public enum ReturnPath
{
    /// <summary><see cref="SocketMatch"/>, or <see cref="ConnectionMark"/> where the kernel lacks it.</summary>
    Automatic = 0,

    /// <summary>The kernel looks for a transparent socket that owns the packet (xt_socket). Needs no state.</summary>
    SocketMatch = 1,

    /// <summary>Connections the proxy opens are marked in conntrack and their replies caught by that mark (xt_connmark, xt_conntrack).</summary>
    ConnectionMark = 2,
}
