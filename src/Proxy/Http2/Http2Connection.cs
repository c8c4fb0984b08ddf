using System;
using System.Threading.Tasks;
using Postern.Filters.Http;
using Postern.Proxy.Errors;
using Postern.Proxy.Http;
using Postern.Proxy.Upstream;

namespace Postern.Proxy.Http2;

/// <summary>A client's connection that speaks HTTP/2.</summary>
internal sealed class Http2Connection : HttpConnection
{
    private readonly Http2ServingSession session;
    private HttpExchange? refusals; // the read loop's

    /// <param name="parts">What it is made of.</param>
    /// <param name="serve">The request path. It never throws, and no call on the stream is pending when its task ends.</param>
    public Http2Connection(HttpConnectionParts parts, Func<ClientStream, Task> serve)
        : base(parts)
    {
        session = new Http2ServingSession(this, parts, serve);
        Upstream = new UpstreamSession(parts.Connector, parts.Destination, sawHttp1: parts.Upgrade is not null);
    }

    public override UpstreamSession Upstream { get; }

    public override bool IsDraining => session.IsDraining;

    public override async Task RunAsync()
    {
        await session.RunAsync(Parts.First, Parts.Upgrade).ConfigureAwait(false);
        Upstream.Dispose();
        await CloseAsync(session.NeedsLinger).ConfigureAwait(false);
    }

    public override void Sweep(long now)
    {
        SweepAge(now);
        session.Sweep(now);
        Upstream.Sweep(now);
        if (session.IsIdleFor(now) > Parts.Registry.Admission.UpstreamIdleMillis)
        {
            Upstream.CloseIdle();
        }
    }

    /// <inheritdoc cref="HttpConnection.IsIdleTooLong"/>
    public bool HasIdled(long millis) => IsIdleTooLong(millis);

    public override void BeginDrain() => session.BeginDrain();

    /// <summary>What the client sent is no HTTP/2, or too much of it: nothing of it goes upstream, and the record says why.</summary>
    public void Refuse(string reason, string detail) => RecordRefusal(refusals ??= new HttpExchange(Metadata, Listener.Listener), reason, detail);

    protected override void Cut(ProxyError reason)
    {
        Parts.Channel.Control.Reset();
        session.Fail(reason);
    }
}
