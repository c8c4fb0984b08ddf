using System;
using System.Net;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Connections;

namespace Postern.Proxy.Http;

/// <summary>
/// Kestrel's "transport": it binds a virtual end point whose connections come out of a channel. Real listeners write accepted, judged connections
/// into it, so they come and go at run time without Kestrel knowing.
/// </summary>
internal sealed class HttpHandoff : IConnectionListenerFactory, IConnectionListenerFactorySelector, IConnectionListener
{
    private readonly Channel<KestrelConnection> channel = Channel.CreateUnbounded<KestrelConnection>(new UnboundedChannelOptions { SingleReader = true });

    public EndPoint EndPoint { get; } = new VirtualEndPoint("http/1.1");

    /// <summary>Hands a connection to Kestrel; false when the server is stopping. Bounded by the admission limit before it.</summary>
    public bool TryHandOver(KestrelConnection connection) => channel.Writer.TryWrite(connection);

    public bool CanBind(EndPoint endpoint) => endpoint is VirtualEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => new(this);

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await channel.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ChannelClosedException or OperationCanceledException)
        {
            return null;
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        channel.Writer.TryComplete();
        return default;
    }

    public ValueTask DisposeAsync() => UnbindAsync();

    private sealed class VirtualEndPoint(string name) : EndPoint
    {
        public override string ToString() => "virtual:" + name;
    }
}
