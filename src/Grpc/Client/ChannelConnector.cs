using System;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Security;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Grpc.Client;

/// <summary>Opens the connections of a channel: socket, then TLS with h2 when asked for.</summary>
internal sealed class ChannelConnector
{
    private readonly EndPoint endPoint;
    private readonly SslClientAuthenticationOptions? tls;

    public ChannelConnector(GrpcChannelOptions options)
    {
        endPoint = options.EndPoint;
        tls = options.Tls is null ? null : ForHttp2(options.Tls, options.EffectiveAuthority);
    }

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = endPoint is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            await ConnectAsync(socket, cancellationToken).ConfigureAwait(false);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (tls is null)
            {
                return stream;
            }
            // The handler takes a stream that is TLS already as it is, and so the caller's options hold to the letter.
            var secure = new SslStream(stream, leaveInnerStreamOpen: false);
            stream = secure;
            await secure.AuthenticateAsClientAsync(tls, cancellationToken).ConfigureAwait(false);
            return secure.NegotiatedApplicationProtocol == SslApplicationProtocol.Http2
                ? secure
                : throw new IOException("the peer does not speak HTTP/2 over TLS (ALPN 'h2' was not chosen)");
        }
        catch
        {
            if (stream is not null)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
            }
            socket.Dispose();
            throw;
        }
    }

    // The handler knows the authority only, and would say that "localhost:80" is not there.
    private async ValueTask ConnectAsync(Socket socket, CancellationToken cancellationToken)
    {
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            var isUnix = endPoint is UnixDomainSocketEndPoint;
            var reason = isUnix && e.SocketErrorCode == SocketError.AddressNotAvailable ? "there is no such socket" : e.Message;
            throw new IOException($"cannot connect to {(isUnix ? "unix:" : "")}{endPoint}: {reason}");
        }
    }

    private static SslClientAuthenticationOptions ForHttp2(SslClientAuthenticationOptions given, string authority) => new()
    {
        ApplicationProtocols = [SslApplicationProtocol.Http2],
        TargetHost = string.IsNullOrEmpty(given.TargetHost) ? HostOf(authority) : given.TargetHost,
        AllowRenegotiation = false,
        AllowTlsResume = given.AllowTlsResume,
        CertificateChainPolicy = given.CertificateChainPolicy,
        CertificateRevocationCheckMode = given.CertificateRevocationCheckMode,
        CipherSuitesPolicy = given.CipherSuitesPolicy,
        ClientCertificateContext = given.ClientCertificateContext,
        ClientCertificates = given.ClientCertificates,
        EnabledSslProtocols = given.EnabledSslProtocols,
        EncryptionPolicy = given.EncryptionPolicy,
        LocalCertificateSelectionCallback = given.LocalCertificateSelectionCallback,
        RemoteCertificateValidationCallback = given.RemoteCertificateValidationCallback,
    };

    private static string HostOf(string authority)
    {
        if (authority.StartsWith('['))
        {
            return authority[1..Math.Max(authority.IndexOf(']'), 1)];
        }
        var colon = authority.LastIndexOf(':');
        return colon < 0 ? authority : authority[..colon];
    }
}
