using System;
using System.Net.Sockets;
using Postern.Tproxy.Native;

namespace Postern.Tproxy;

/// <summary>Options every accepted connection gets.</summary>
public static class AcceptedSocket
{
    /// <summary>Cilium's TCP_KEEPIDLE and TCP_KEEPINTVL: a peer that vanished is noticed within the hour, a live one costs nothing to speak of.</summary>
    public const int KeepAliveSeconds = 300;

    /// <summary>
    /// Sets SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_NODELAY. Anything but <see cref="SocketError.Success"/> means that the connection
    /// is to be closed (most often the peer has reset it already).
    /// </summary>
    public static SocketError Prepare(Socket accepted)
    {
        ArgumentNullException.ThrowIfNull(accepted);
        try
        {
            accepted.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, 1);
            SocketOption.Set(accepted, SocketOption.SolTcp, SocketOption.TcpKeepIdle, KeepAliveSeconds);
            SocketOption.Set(accepted, SocketOption.SolTcp, SocketOption.TcpKeepIntvl, KeepAliveSeconds);
            accepted.NoDelay = true;
            return SocketError.Success;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode;
        }
        catch (ObjectDisposedException)
        {
            return SocketError.OperationAborted;
        }
    }
}
