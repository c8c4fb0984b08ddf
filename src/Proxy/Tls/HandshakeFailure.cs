using System;
using System.IO;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Postern.Proxy.Tls;

/// <summary>What operators are told of a handshake that failed. Holds nothing of a key or a secret.</summary>
internal static class HandshakeFailure
{
    private const int MaxText = 200;

    /// <summary>Whether this is how a handshake fails, and not a bug.</summary>
    public static bool Is(Exception e) =>
        e is AuthenticationException or IOException or SocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException or NotSupportedException;

    /// <summary>One sentence without an end.</summary>
    /// <param name="stream">It failed on.</param>
    /// <param name="e">How.</param>
    /// <param name="limit">Its deadline.</param>
    public static string Explain(SslStream stream, Exception e, TimeSpan limit)
    {
        if (PeerCheck.RefusalOf(stream) is { } refusal)
        {
            return refusal;
        }
        if (e is OperationCanceledException)
        {
            return $"it did not end within {limit.TotalSeconds} s";
        }
        if (e is IOException or SocketException or ObjectDisposedException && e.InnerException is not AuthenticationException)
        {
            return "the peer went away in the middle of it";
        }
        var inner = e;
        while (inner.InnerException is { } deeper)
        {
            inner = deeper;
        }
        var text = inner.Message.ReplaceLineEndings(" ");
        return text.Length > MaxText ? text[..MaxText] : text;
    }
}
