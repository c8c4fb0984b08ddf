using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Pipelines;
using System.Net;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Postern.Filters;
using Postern.Filters.Http;
using Postern.Proxy.Errors;
using Postern.Proxy.Http1;
using Postern.Proxy.Listeners;
using Postern.Proxy.Transport;
using Postern.Proxy.Upstream;
using Postern.Records;

namespace Postern.Proxy.Http;

/// <summary>
/// One client connection that speaks HTTP, as Kestrel sees it (a <see cref="ConnectionContext"/>) and as the proxy does: its gate, its exchange,
/// its upstream session and its timers. One request at a time; timers and drain come from the sweeper's thread.
/// </summary>
internal sealed class KestrelConnection : ConnectionContext, IDuplexPipe, IGateEvents, ITrackedConnection
{
    private const int LingerBytes = 256 * 1024;
    private const long LastWordMillis = 5_000; // for an answer to reach a client after its request has failed
    private static readonly ProxyError NoLongerAllowed = new(ErrorCode.PolicyChanged, "policy changed while the request was under way, and no longer allows its connection");
    private static readonly TimeSpan LingerTime = TimeSpan.FromSeconds(1);

    private readonly Stream stream;
    private readonly IConnectionControl control;
    private readonly GatedReader reader;
    private readonly ConnectionWriter writer;
    private readonly CancellationTokenSource closed = new();
    private readonly ConnectionRegistry registry;
    private long idleSince; // milliseconds of TickCount64, 0 while not idle
    private long headSince; // likewise, from the first byte of a head
    private volatile bool draining;
    private volatile bool headTimedOut;
    private volatile bool idleTimedOut;
    private long failedAt; // when the sweeper ended the request in flight, 0 before; the sweeper's, but for its reset
    private long begun; // requests that reached the request path
    private int aborted;
    private volatile bool revoked;
    private int disposed;

    public KestrelConnection(
        string id,
        Stream stream,
        IConnectionControl control,
        HttpListenerSnapshot listener,
        ConnectionMetadata? metadata,
        IPEndPoint remote,
        IPEndPoint originalDestination,
        IUpstreamConnector connector,
        ConnectionRegistry registry,
        OpenVerdict? verdict = null,
        bool isTls = false)
    {
        ConnectionId = id;
        this.stream = stream;
        this.control = control;
        this.registry = registry;
        Verdict = verdict;
        Listener = listener;
        Metadata = metadata;
        RemoteEndPoint = remote;
        LocalEndPoint = originalDestination;
        ClientAddress = remote.Address.IsIPv4MappedToIPv6 ? remote.Address.MapToIPv4() : remote.Address;
        Framer = new RequestFramer(listener.MaxHeadBytes, listener.MaxHeaders);
        reader = new GatedReader(stream, control, Framer, this, listener.MaxHeadBytes);
        writer = new ConnectionWriter(stream, control);
        Exchange = new HttpExchange(metadata, listener.Listener, isTls ? "https" : "http");
        Upstream = new UpstreamSession(connector, metadata, originalDestination);
        Invoker = new HttpMessageInvoker(Upstream, disposeHandler: true);
        Transformer = new ResponseCopier(this);
        ConnectionClosed = closed.Token;
        Features.Set(this);
        listener.Stats.OnConnection();
    }

    public HttpListenerSnapshot Listener { get; }

    public ConnectionMetadata? Metadata { get; }

    public OpenVerdict? Verdict { get; }

    /// <summary>Who is connected.</summary>
    public IPAddress ClientAddress { get; }

    public RequestFramer Framer { get; }

    public HttpExchange Exchange { get; }

    public UpstreamSession Upstream { get; }

    public HttpMessageInvoker Invoker { get; }

    public ResponseCopier Transformer { get; }

    /// <summary>Reused by every request of the connection.</summary>
    public DefaultHttpContext? Context { get; set; }

    /// <summary>The request in flight has until then; milliseconds of TickCount64, 0 for no limit.</summary>
    public long Deadline { get; set; }

    /// <summary>Stream idle timeout of the request in flight, milliseconds, 0 for none.</summary>
    public long StreamIdleMillis { get; set; }

    /// <summary>When the request in flight began; 0 when there is none. Written by the request's thread, read by the sweeper.</summary>
    public long InFlightSince { get; set; }

    public override string ConnectionId { get; set; }

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>(0);

    public override IDuplexPipe Transport { get => this; set => throw new NotSupportedException(); }

    public PipeReader Input => reader;

    public PipeWriter Output => writer;

    /// <summary>Bytes that were peeked before.</summary>
    public void Preload(ReadOnlySpan<byte> bytes)
    {
        reader.Preload(bytes);
        OnMessageBegin(); // the first head's time runs; the reader only tells of what it reads itself
    }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        if (Interlocked.Exchange(ref aborted, 1) == 0)
        {
            control.Reset();
            FireClosed();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync().ConfigureAwait(false);
        if (Interlocked.Exchange(ref disposed, 1) != 0)
        {
            return;
        }
        RecordSilentRefusal();
        Invoker.Dispose();
        if (aborted == 0)
        {
            await CloseGracefullyAsync().ConfigureAwait(false);
        }
        await stream.DisposeAsync().ConfigureAwait(false);
        reader.ReleaseBuffer();
        writer.ReleaseBuffer();
        closed.Dispose();
        // Only now: who waits for the last connection (steering goes after it) must not cut off an answer that is still on its way.
        registry.Remove(this);
        registry.Leave();
        Listener.Stats.OnConnectionEnd();
    }

    /// <summary>The listener drains: this answer is the connection's last.</summary>
    public bool IsDraining => draining;

    public void OnIdle()
    {
        Volatile.Write(ref headSince, 0); // an empty line that was passed over is no request
        Interlocked.Exchange(ref idleSince, Environment.TickCount64);
        if (draining)
        {
            RequestClose();
        }
    }

    public void OnMessageBegin()
    {
        Volatile.Write(ref idleSince, 0);
        if (Volatile.Read(ref headSince) == 0)
        {
            Volatile.Write(ref headSince, Environment.TickCount64);
        }
    }

    public ValueTask OnRefusedAsync(Http1Error error)
    {
        if (InFlightSince != 0)
        {
            return default; // a body that turned bad: the request's own end says so
        }
        return RefuseAsync(Http1Errors.Status(error), Http1Errors.Label(error), "the request is not acceptable HTTP/1.1; it was not forwarded");
    }

    public ValueTask OnTruncatedAsync()
    {
        var code = headTimedOut ? ErrorCode.RequestHeadTimeout : ErrorCode.RequestHeadTruncated;
        var entry = ErrorTable.Of(code);
        var detail = headTimedOut
            ? $"the request's head was not complete within request_headers_timeout {Listener.RequestHeadersTimeout.TotalSeconds} s"
            : "the client closed the connection within a request's head";
        return InFlightSince != 0 ? default : RefuseAsync(entry.Status, entry.Label, detail);
    }

    /// <summary>The answer is decided and the rest of the request's body does not matter: ends the wait for it, so that the connection closes in order.</summary>
    public void StopUpload() => control.ShutdownReceive();

    public void OnPeerGone() => FireClosed();

    /// <summary>A head is complete and its request begins.</summary>
    public void OnRequestBegin()
    {
        begun++;
        Volatile.Write(ref headSince, 0);
        Volatile.Write(ref idleSince, 0);
        failedAt = 0;
        StreamIdleMillis = Listener.StreamIdleTimeout is { } idle ? (long)idle.TotalMilliseconds : 0; // a route may say otherwise
        InFlightSince = Environment.TickCount64;
        Listener.Stats.OnRequest();
    }

    public void OnRequestEnd()
    {
        Listener.Stats.OnRequestEnd(Exchange.Status, Environment.TickCount64 - InFlightSince);
        Deadline = 0;
        StreamIdleMillis = 0;
        InFlightSince = 0;
        Framer.Head.Release();
    }

    public void Sweep(long now)
    {
        var idle = Volatile.Read(ref idleSince);
        if (idle != 0 && Listener.IdleTimeout is { } idleTimeout && now - idle > idleTimeout.TotalMilliseconds && !idleTimedOut)
        {
            idleTimedOut = true;
            control.ShutdownReceive();
        }
        if (idle != 0 && now - idle > registry.Admission.UpstreamIdleMillis)
        {
            Upstream.CloseIdle();
        }
        var head = Volatile.Read(ref headSince);
        if (head != 0 && now - head > Listener.RequestHeadersTimeout.TotalMilliseconds && !headTimedOut)
        {
            headTimedOut = true;
            control.ShutdownReceive();
        }
        var begun = InFlightSince;
        if (begun != 0)
        {
            SweepRequest(now, begun);
        }
    }

    /// <summary>
    /// Asks the server to close, but only between requests: it cancels whatever read is pending, and in a request that may be the rest of an
    /// upload. A connection that is busy now, or that the server has not taken yet, is asked when it becomes idle.
    /// </summary>
    public void BeginDrain()
    {
        draining = true;
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref idleSince) != 0)
        {
            RequestClose();
        }
    }

    /// <summary>At once, whatever is in flight: the client gets a reset, so does not take a part for the whole; the upstream connection is closed.</summary>
    public bool Revoke(Action tell)
    {
        if (Interlocked.Exchange(ref aborted, 1) != 0)
        {
            return false;
        }
        tell();
        revoked = true;
        Interlocked.MemoryBarrier(); // either the request's thread sees it, or what it began is failed here
        control.Reset();
        Upstream.Fail(NoLongerAllowed);
        FireClosed();
        return true;
    }

    /// <summary>A request was admitted just before the connection was revoked: it goes nowhere.</summary>
    public void FailIfRevoked()
    {
        Interlocked.MemoryBarrier();
        if (revoked)
        {
            Upstream.Fail(NoLongerAllowed);
        }
    }

    public void AbortNow() => Abort(new ConnectionAbortedException("drain time is over"));

    private void RequestClose() => Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();

    // On a pool thread: what is registered on the token must not run on the socket's or the sweeper's.
    private void FireClosed()
    {
        try
        {
            _ = closed.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
        }
    }

    private void SweepRequest(long now, long begun)
    {
        if (failedAt != 0)
        {
            // The upstream side ended long ago: what still waits is a client that does not read.
            if (now - failedAt > LastWordMillis)
            {
                Abort(new ConnectionAbortedException("the client did not take its answer"));
            }
        }
        else if (Deadline != 0 && now > Deadline)
        {
            failedAt = now;
            Upstream.Fail(new ProxyError(ErrorCode.ResponseTimeout, "no complete response within the route's timeout"));
        }
        else if (StreamIdleMillis != 0 && now - Math.Max(begun, Upstream.LastActivity) > StreamIdleMillis)
        {
            failedAt = now;
            Upstream.Fail(new ProxyError(ErrorCode.StreamIdleTimeout, "no byte either way within stream_idle_timeout (or the route's idle_timeout)"));
        }
        // Nobody reads from the client while its answer is awaited, so a reset is looked for once a second.
        if (now - begun > 1000 && control.PeerIsGone)
        {
            FireClosed();
            Upstream.Fail(new ProxyError(ErrorCode.DownstreamReset, "the client reset the connection"));
        }
    }

    // The HTTP server refused a head that the gate had let through: it answered by itself, and nobody else would tell.
    private void RecordSilentRefusal()
    {
        if (Framer.HeadCount > begun && aborted == 0)
        {
            WriteDenied("http1_refused_by_server", "the HTTP server refused a request head that the strict parser accepted; it was not forwarded");
        }
    }

    private ValueTask RefuseAsync(int status, string reason, string detail)
    {
        Listener.Stats.ProtocolErrors.Increment();
        WriteDenied(reason, detail);
        return AnswerAsync(status);
    }

    private void WriteDenied(string reason, string detail)
    {
        var record = Exchange.Record;
        record.Http = null;
        record.EntryType = EntryType.Denied;
        record.TimestampNanos = Clock.UnixNanos();
        record.Reason = reason;
        record.Detail = detail;
        record.RuleName = "";
        Listener.Sink.Write(record);
    }

    private async ValueTask AnswerAsync(int status)
    {
        try
        {
            await stream.WriteAsync(RawReply.Of(status)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
        }
    }

    // FIN first, then wait shortly for the client's: closing with unread bytes would send a reset that can destroy the answer on its way.
    private async ValueTask CloseGracefullyAsync()
    {
        control.ShutdownSend();
        if (reader.EndOfStream)
        {
            return;
        }
        using var time = new CancellationTokenSource(LingerTime);
        var sink = System.Buffers.ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            for (var total = 0; total < LingerBytes;)
            {
                var count = await stream.ReadAsync(sink, time.Token).ConfigureAwait(false);
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
            System.Buffers.ArrayPool<byte>.Shared.Return(sink);
        }
    }
}
