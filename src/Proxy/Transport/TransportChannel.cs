using System.IO;
using System.Net.Sockets;

namespace Postern.Proxy.Transport;

/// <summary>A connection's bytes, plain or inside TLS, and the socket's control beside them.</summary>
/// <param name="Stream">Reads and writes; owned.</param>
/// <param name="Control">Half-close and reset. Over TLS its <see cref="IConnectionControl.ShutdownSend"/> says close_notify first.</param>
/// <param name="ApplicationProtocol">What ALPN settled on; empty without TLS or without ALPN.</param>
/// <param name="IsTls">The stream is inside TLS that this proxy speaks itself.</param>
internal sealed record TransportChannel(Stream Stream, IConnectionControl Control, string ApplicationProtocol = "", bool IsTls = false)
{
    /// <summary>A socket's bytes as they are; disposing the stream closes the socket.</summary>
    public static TransportChannel Plain(Socket socket) => new(new NetworkStream(socket, ownsSocket: true), new SocketControl(socket));
}
