using System;
using System.Buffers;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Postern.Filters.Http;
using Postern.Proxy.Errors;
using Postern.Proxy.Http;
using Postern.Proxy.Upstream;
using Postern.Records;

namespace Postern.Proxy.Http2;

/// <summary>A client's connection that speaks HTTP/2.</summary>
internal sealed class Http2Connection : HttpConnection
{
    private const int LingerBytes = 256 * 1024;

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
        if (!IsAborted)
        {
            await CloseGracefullyAsync().ConfigureAwait(false);
        }
        if (!IsAborted) // else whoever cut it is closing it with a reset: a stream's own way to close would say FIN first
        {
            await Parts.Channel.Stream.DisposeAsync().ConfigureAwait(false);
        }
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
    public void Refuse(string reason, string detail)
    {
        Listener.Stats.ProtocolErrors.Increment();
        refusals ??= new HttpExchange(Metadata, Listener.Listener);
        var record = refusals.Record;
        record.Http = null;
        record.EntryType = EntryType.Denied;
        record.TimestampNanos = Clock.UnixNanos();
        record.Reason = reason;
        record.Detail = detail;
        record.RuleName = "";
        Listener.Sink.Write(record);
    }

    protected override void Cut(ProxyError reason)
    {
        Parts.Channel.Control.Reset();
        session.Fail(reason);
    }

    // FIN first, then wait shortly for the client's: closing with unread bytes would send a reset that can destroy the last frames on their way.
    private async ValueTask CloseGracefullyAsync()
    {
        Parts.Channel.Control.ShutdownSend();
        if (!session.NeedsLinger)
        {
            return;
        }
        using var time = new CancellationTokenSource(Listener.DelayedCloseTimeout);
        var sink = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            for (var total = 0; total < LingerBytes;)
            {
                var count = await Parts.Channel.Stream.ReadAsync(sink, time.Token).ConfigureAwait(false);
                if (count == 0)
                {
                    break;
                }
                total += count;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(sink);
        }
    }
}
