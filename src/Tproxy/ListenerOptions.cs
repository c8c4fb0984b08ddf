using System.Net.Sockets;
using Postern.Tproxy.Native;

namespace Postern.Tproxy;

/// <summary>The options that steered listeners have in common, TCP and UDP.</summary>
internal static class ListenerOptions
{
    /// <summary>Sets them, before the bind.</summary>
    /// <param name="socket">Not bound yet.</param>
    /// <param name="reusePort">SO_REUSEPORT.</param>
    /// <param name="transparent">IP_TRANSPARENT or IPV6_TRANSPARENT.</param>
    /// <param name="mark">SO_MARK; null leaves it alone.</param>
    /// <param name="step">What is being done, for the message if it fails.</param>
    /// <exception cref="SocketException">The kernel refuses; <paramref name="step"/> says what.</exception>
    internal static void Apply(Socket socket, bool reusePort, bool transparent, uint? mark, ref string step)
    {
        if (reusePort)
        {
            SocketOption.Set(socket, SocketOption.SolSocket, SocketOption.SoReusePort, 1);
        }

        if (transparent)
        {
            step = ListenerFault.TransparentStep;
            SocketOption.SetTransparent(socket);
        }

        if (mark is { } value)
        {
            step = ListenerFault.MarkStep;
            SocketOption.Set(socket, SocketOption.SolSocket, SocketOption.SoMark, unchecked((int)value));
        }
    }
}
