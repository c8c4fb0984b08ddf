using System;
using System.Buffers;
using System.IO;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Postern.Filters;
using Postern.Filters.Http;
using Postern.Proxy.Errors;
using Postern.Proxy.Listeners;
using Postern.Proxy.Upstream;
using Postern.Records;

namespace Postern.Proxy.Http;

/// <summary>
/// A client connection that speaks HTTP, of whatever version: who it belongs to, its upstream side, its end. Its protocol reads and writes from its own flow; the
/// sweeper, a drain and a change of policy come from other threads.
/// </summary>
internal abstract class HttpConnection : ITrackedConnection
{
    /// <summary>Most bytes of the client that are read and dropped so that an answer reaches it.</summary>
    protected const int LingerBytes = 256 * 1024;

    private static readonly ProxyError NoLongerAllowed = new(ErrorCode.PolicyChanged, "policy changed while the request was under way, and no longer allows its connection");

    private readonly long openedAt = Environment.TickCount64;
    private int requests;
    private bool isOld; // the sweeper's
    private int aborted;

    protected HttpConnection(HttpConnectionParts parts)
    {
        Parts = parts;
        var remote = parts.Source.Address;
        ClientAddress = remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote;
    }

    public string Id => Parts.Id;

    public HttpListenerSnapshot Listener => Parts.Listener;

    public ConnectionMetadata? Metadata => Parts.Metadata;

    public OpenVerdict? Verdict => Parts.Verdict;

    /// <summary>Who is connected.</summary>
    public IPAddress ClientAddress { get; }

    /// <summary>Where the client wanted to go.</summary>
    public IPEndPoint Destination => Parts.Destination;

    /// <summary>The client speaks TLS, and with this proxy.</summary>
    public bool IsTls => Parts.Channel.IsTls;

    /// <summary>The upstream side of this connection: nobody else's requests go there.</summary>
    public abstract UpstreamSession Upstream { get; }

    /// <summary>Answers from now on are the connection's last (HTTP/1), or new streams are no longer taken (HTTP/2).</summary>
    public abstract bool IsDraining { get; }

    /// <summary>It was cut: by a reset of either side, a bug's abort, or policy.</summary>
    protected bool IsAborted => Volatile.Read(ref aborted) != 0;

    /// <summary>Policy forbids the connection: whoever was admitted a moment ago goes nowhere.</summary>
    public bool IsRevoked { get; private set; }

    protected HttpConnectionParts Parts { get; }

    /// <summary>The connection's life. Never throws but for bugs; at its end all its requests have ended and its transport is closed.</summary>
    public abstract Task RunAsync();

    /// <inheritdoc/>
    public abstract void Sweep(long now);

    /// <inheritdoc/>
    public abstract void BeginDrain();

    /// <inheritdoc/>
    public void AbortNow() => Abort();

    /// <summary>A request begins: bounds on the number of them, and the overload manager, may make it the connection's last.</summary>
    public void CountRequest()
    {
        var stats = Listener.Stats;
        if (Listener.MaxRequestsPerConnection > 0 && Interlocked.Increment(ref requests) == Listener.MaxRequestsPerConnection)
        {
            stats.ConnectionMaxRequests.Increment();
            BeginDrain();
        }
        else if (Listener.Overload.DisableKeepAlive)
        {
            stats.ConnectionsNotKept.Increment();
            BeginDrain();
        }
    }

    /// <summary>Cuts the connection with a reset. False when it was cut before.</summary>
    public bool Abort()
    {
        if (Interlocked.Exchange(ref aborted, 1) != 0)
        {
            return false;
        }
        Cut(new ProxyError(ErrorCode.DownstreamReset, "the client's connection was cut"));
        return true;
    }

    /// <summary>At once, whatever is in flight: the client gets a reset, so does not take a part for the whole; the upstream side is closed.</summary>
    public bool Revoke(Action tell)
    {
        if (Interlocked.Exchange(ref aborted, 1) != 0)
        {
            return false;
        }
        tell();
        IsRevoked = true;
        Interlocked.MemoryBarrier(); // either the request's flow sees it, or what it began is failed here
        Cut(NoLongerAllowed);
        return true;
    }

    /// <summary>A request was admitted just before the connection was revoked: it goes nowhere.</summary>
    public void FailIfRevoked(ClientStream stream)
    {
        Interlocked.MemoryBarrier();
        if (IsRevoked)
        {
            stream.Fail(NoLongerAllowed);
        }
    }

    /// <summary>Lets the connection drain once it is as old as the listener allows.</summary>
    protected void SweepAge(long now)
    {
        if (!isOld && Listener.MaxConnectionDuration is { } longest && now - openedAt > Listener.Overload.Timeouts.ConnectionMax((long)longest.TotalMilliseconds))
        {
            isOld = true;
            Listener.Stats.ConnectionMaxDuration.Increment();
            BeginDrain();
        }
    }

    /// <summary>Whether it was idle for longer than the listener allows.</summary>
    protected bool IsIdleTooLong(long idleMillis) => Listener.IdleTimeout is { } timeout && idleMillis > Listener.Overload.Timeouts.ConnectionIdle((long)timeout.TotalMilliseconds);

    /// <summary>Counts and records bytes that are no request; nothing of them went upstream.</summary>
    protected void RecordRefusal(HttpExchange exchange, string reason, string detail)
    {
        Listener.Stats.ProtocolErrors.Increment();
        var record = exchange.Record;
        record.Http = null;
        record.EntryType = EntryType.Denied;
        record.TimestampNanos = Clock.UnixNanos();
        record.Reason = reason;
        record.Detail = detail;
        record.RuleName = "";
        Listener.Sink.Write(record);
    }

    /// <summary>Closes the transport of a connection that was not cut: whoever cuts it closes it with a reset, and a stream's own way to close would say FIN first.</summary>
    /// <param name="lingers">
    /// FIN first, then wait shortly for the client's: closing with unread bytes would send a reset that can destroy the last answer on its way. Not needed where the client
    /// has ended.
    /// </param>
    protected async ValueTask CloseAsync(bool lingers)
    {
        if (IsAborted)
        {
            return;
        }
        Parts.Channel.Control.ShutdownSend();
        if (lingers)
        {
            await LingerAsync().ConfigureAwait(false);
        }
        if (!IsAborted)
        {
            await Parts.Channel.Stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Resets the transport and fails every request in flight with this reason. Once, from any thread.</summary>
    protected abstract void Cut(ProxyError reason);

    private async ValueTask LingerAsync()
    {
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
