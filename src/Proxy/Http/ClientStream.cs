using System;
using System.Threading;
using System.Threading.Tasks;
using Postern.Filters.Http;
using Postern.Proxy.Errors;
using Postern.Proxy.Http1;
using Postern.Proxy.Upstream;

namespace Postern.Proxy.Http;

/// <summary>
/// A client's request and the way its answer takes back, whatever protocol the client speaks: HTTP/1 has one at a time on a connection, HTTP/2 many.
/// <see cref="RequestPath"/> drives it from one flow (the upload reads the body from a second one); <see cref="Fail"/> may come from any thread.
/// </summary>
internal abstract class ClientStream(HttpConnection connection, HttpExchange exchange) : IBodySource
{
    private const long LastWordMillis = 5_000; // for an answer to reach a client after its request has failed

    private ServerStream? server;
    private CancellationTokenSource? connecting;
    private long lastActivity;
    private int failed;
    private ProxyError failure;
    private long failedAt; // when the sweeper ended the request, 0 before; the sweeper's

    public HttpConnection Connection { get; } = connection;

    /// <summary>Reused by the stream's next request where there is one.</summary>
    public HttpExchange Exchange { get; } = exchange;

    /// <summary>The request; valid while it is served.</summary>
    public abstract RequestHead Head { get; }

    /// <inheritdoc/>
    public abstract HeaderBlock? Trailers { get; }

    /// <summary>The request has until then; milliseconds of TickCount64, 0 for no limit.</summary>
    public long Deadline { get; set; }

    /// <summary>Request and answer together have until then, a tunnel too; milliseconds of TickCount64, 0 for no limit.</summary>
    public long MaxDurationDeadline { get; set; }

    /// <summary>The request has until then to come whole; 0 for no limit, and from its last byte on.</summary>
    public long RequestDeadline { get; set; }

    /// <summary>Longest time without a byte either way, milliseconds, 0 for no limit.</summary>
    public long StreamIdleMillis { get; set; }

    /// <summary>When the request began; milliseconds of TickCount64, 0 when there is none.</summary>
    public long InFlightSince { get; set; }

    /// <summary>The final head was handed to the connection: from here on an error can only cut.</summary>
    public bool IsAnswered { get; protected set; }

    /// <summary>Why the request must end, if it must; the first reason counts.</summary>
    public ProxyError Failure => Volatile.Read(ref failed) == 2 ? failure : ProxyError.None;

    /// <summary>The latest byte either way; milliseconds of TickCount64.</summary>
    public long LastActivity => Volatile.Read(ref lastActivity);

    /// <inheritdoc/>
    public abstract ValueTask<BodyRead> ReadAsync();

    /// <summary>An interim response (1xx but 101). False: the client is gone.</summary>
    public abstract ValueTask<bool> SendInterimAsync(ResponseHead head);

    /// <summary>
    /// The final head, without hop-by-hop fields; framing is the protocol's business. It may stay in a buffer until bytes follow or <see cref="FlushAsync"/>.
    /// With <paramref name="end"/> no body follows and it goes out. False: the client is gone.
    /// </summary>
    public abstract ValueTask<bool> SendHeadAsync(ResponseHead head, bool end);

    /// <summary>
    /// Body bytes; with <paramref name="end"/> the last ones (maybe none), and the trailers if there are any. A few may stay in a buffer until more follow, the end or
    /// <see cref="FlushAsync"/>; else it completes when they were taken, which is the client's back-pressure. False: the client is gone.
    /// </summary>
    public abstract ValueTask<bool> SendAsync(ReadOnlyMemory<byte> data, bool end, HeaderBlock? trailers);

    /// <summary>What was handed over goes out now.</summary>
    public abstract ValueTask<bool> FlushAsync();

    /// <summary>The protocol changes behind the head that was sent (101, or 2xx to CONNECT): bytes go both ways as they come, and each way ends on its own.</summary>
    public abstract void BeginTunnel();

    /// <summary>
    /// The rest of the request's body (or of a tunnel) does not matter: a read of it, pending or to come, ends with an error. Any thread; nothing to do where all of
    /// it was read. On HTTP/1 the connection closes after the answer.
    /// </summary>
    public abstract void StopBody();

    /// <summary>The answer cannot end well: HTTP/1 cuts the connection, HTTP/2 resets the stream.</summary>
    public abstract void Reset(ProxyError error);

    /// <summary>Notes that bytes moved, for idle timeouts.</summary>
    public void Touch() => Volatile.Write(ref lastActivity, Environment.TickCount64);

    /// <summary>Looks at the request's times; from the sweeper's thread.</summary>
    /// <param name="now">Milliseconds of TickCount64.</param>
    public void Sweep(long now)
    {
        var begun = InFlightSince;
        if (begun == 0)
        {
            return;
        }
        if (failedAt != 0)
        {
            // The upstream side ended long ago: what still waits is a client that does not read.
            if (now - failedAt > LastWordMillis)
            {
                Reset(Failure);
            }
        }
        else if (Deadline != 0 && now > Deadline)
        {
            failedAt = now;
            Fail(new ProxyError(ErrorCode.ResponseTimeout, "no complete response within the route's timeout"));
        }
        else if (MaxDurationDeadline != 0 && now > MaxDurationDeadline)
        {
            failedAt = now;
            Connection.Listener.Stats.RequestMaxDuration.Increment();
            Fail(new ProxyError(ErrorCode.MaxStreamDuration, "the request and its answer took longer than max_stream_duration of the listener or the route"));
        }
        else if (RequestDeadline != 0 && now > RequestDeadline)
        {
            failedAt = now;
            Connection.Listener.Stats.RequestTimeouts.Increment();
            Fail(new ProxyError(ErrorCode.RequestTimeout, "the request did not come whole within request_timeout of the listener"));
        }
        else if (StreamIdleMillis != 0 && now - Math.Max(begun, LastActivity) > Connection.Listener.Overload.Timeouts.StreamIdle(StreamIdleMillis))
        {
            failedAt = now;
            Fail(new ProxyError(ErrorCode.StreamIdleTimeout, "no byte either way within stream_idle_timeout (or the route's idle_timeout)"));
        }
    }

    /// <summary>Ends the request from any thread: its time is up, the client is gone, or policy forbids it now. What is pending upstream ends with this error.</summary>
    public void Fail(ProxyError error)
    {
        if (Interlocked.CompareExchange(ref failed, 1, 0) != 0)
        {
            return;
        }
        failure = error;
        Volatile.Write(ref failed, 2);
        Interlocked.MemoryBarrier();
        Cancel();
        Volatile.Read(ref server)?.Abort(error);
        StopBody();
    }

    /// <summary>From now on <see cref="Fail"/> reaches this one too. False when it failed already: the caller aborts it.</summary>
    public bool Attach(ServerStream upstream)
    {
        Volatile.Write(ref server, upstream);
        Interlocked.MemoryBarrier();
        return Volatile.Read(ref failed) == 0;
    }

    /// <summary>The upstream side is done.</summary>
    public void Detach() => Volatile.Write(ref server, null);

    /// <summary>A token that <see cref="Fail"/> cancels, for the time a connection is being made; end with <see cref="EndConnecting"/>.</summary>
    public CancellationToken BeginConnecting()
    {
        var source = new CancellationTokenSource();
        Volatile.Write(ref connecting, source);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref failed) != 0)
        {
            Cancel();
        }
        return source.Token;
    }

    /// <summary>The connection was made, or not.</summary>
    public void EndConnecting() => Volatile.Write(ref connecting, null); // has no timer: needs no disposing

    /// <summary>Ready for the next request.</summary>
    protected void ResetState()
    {
        Deadline = 0;
        MaxDurationDeadline = 0;
        RequestDeadline = 0;
        StreamIdleMillis = 0;
        InFlightSince = 0;
        failedAt = 0;
        IsAnswered = false;
        server = null;
        connecting = null;
        failure = ProxyError.None;
        Volatile.Write(ref failed, 0);
    }

    private void Cancel() => _ = Volatile.Read(ref connecting)?.CancelAsync();
}
