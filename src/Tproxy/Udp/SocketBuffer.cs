using System.Net.Sockets;
using Postern.Tproxy.Native;

namespace Postern.Tproxy.Udp;

/// <summary>Sizes of socket buffers: past net.core.rmem_max and wmem_max where CAP_NET_ADMIN allows it, else up to them.</summary>
internal static class SocketBuffer
{
    internal static void Set(Socket socket, int force, int polite, int bytes)
    {
        try
        {
            SocketOption.Set(socket, SocketOption.SolSocket, force, bytes);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.AccessDenied)
        {
            SocketOption.Set(socket, SocketOption.SolSocket, polite, bytes);
        }
    }
}
