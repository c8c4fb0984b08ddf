using System;
using System.Net.Sockets;

namespace Postern.Tproxy;

/// <summary>
/// A socket or the steering could not be set up. <see cref="Exception.Message"/> is one line for the operator: what failed,
/// why, and what mends it.
/// </summary>
public sealed class TproxyException : Exception
{
    public TproxyException(string message)
        : base(message)
    {
    }

    public TproxyException(string message, Exception inner)
        : base(message, inner)
    {
        SocketError = inner is SocketException socket ? socket.SocketErrorCode : SocketError.Success;
    }

    /// <summary>The kernel's answer if a socket call failed, else <see cref="SocketError.Success"/>.</summary>
    public SocketError SocketError { get; }
}
