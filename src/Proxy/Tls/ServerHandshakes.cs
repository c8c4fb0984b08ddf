using System;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Stats;
using Postern.Proxy.Transport;

namespace Postern.Proxy.Tls;

/// <summary>
/// Handshakes with clients: so many at a time, each with its deadline, waiting for a turn included. What is above the bound waits in the kernel's buffers.
/// </summary>
#pragma warning disable CA1001 // A semaphore nobody asked for its handle holds nothing.
internal sealed class ServerHandshakes(int atOnce = ServerHandshakes.DefaultAtOnce)
#pragma warning restore CA1001
{
    /// <summary>One holds some 100 kB while it is under way.</summary>
    public const int DefaultAtOnce = 2048;

    private readonly SemaphoreSlim turns = new(atOnce);

    /// <summary>Makes one. Where it fails the socket is closed.</summary>
    /// <param name="socket">Of the client.</param>
    /// <param name="first">Bytes of the client that were read before.</param>
    /// <param name="context">With which.</param>
    /// <param name="serverName">What the client's hello was seen to ask for; null where nobody looked.</param>
    /// <param name="limit">Deadline.</param>
    /// <param name="stats">Counts it.</param>
    /// <returns>The channel, or null and why not.</returns>
    public async ValueTask<(TransportChannel? Channel, string Problem)> AcceptAsync(
        Socket socket, ReadOnlyMemory<byte> first, TlsServerContext context, string? serverName, TimeSpan limit, TlsStats stats)
    {
        var stream = new SecureStream(new NetworkStream(socket, ownsSocket: true), first);
        using var deadline = new CancellationTokenSource(limit);
        stats.Active.Increment();
        var turn = false;
        try
        {
            await turns.WaitAsync(deadline.Token).ConfigureAwait(false);
            turn = true;
            if (serverName is null)
            {
                await stream.AuthenticateAsServerAsync(
                    static (_, hello, state, _) => new ValueTask<SslServerAuthenticationOptions>(((TlsServerContext)state!).Select(hello.ServerName) ?? throw NoServerName()),
                    context,
                    deadline.Token).ConfigureAwait(false);
            }
            else
            {
                await stream.AuthenticateAsServerAsync(context.Select(serverName) ?? throw NoServerName(), deadline.Token).ConfigureAwait(false);
            }
            stats.OnDone(stream);
            return (new TransportChannel(stream, new TlsControl(stream, new SocketControl(socket)), stream.NegotiatedApplicationProtocol.ToString(), IsTls: true), "");
        }
        catch (Exception e) when (HandshakeFailure.Is(e))
        {
            stats.OnFailed(stream, e);
            var problem = turn ? HandshakeFailure.Explain(stream, e, limit) : $"{atOnce} others were under way for {limit.TotalSeconds} s, and it had to wait for a turn";
            new SocketControl(socket).ShutdownSend(); // not a reset: it could overtake the alert
            await stream.DisposeAsync().ConfigureAwait(false);
            return (null, problem);
        }
        finally
        {
            stats.Active.Decrement();
            if (turn)
            {
                turns.Release();
            }
        }
    }

    private static AuthenticationException NoServerName() => new("the client sent no server name, and require_sni asks for one");
}
