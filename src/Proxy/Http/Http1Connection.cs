using System;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Errors;
using Postern.Proxy.Http1;
using Postern.Proxy.Http2;
using Postern.Proxy.Transport;
using Postern.Proxy.Upstream;
using Postern.Xds.Config;

namespace Postern.Proxy.Http;

/// <summary>
/// A client connection of HTTP/1: heads are read strictly, one request is served at a time, the next one waits in the buffer. Its own flow reads and serves; the sweeper
/// looks at its times.
/// </summary>
internal sealed class Http1Connection : HttpConnection
{
    private readonly RequestPath path;
    private readonly ReceiveBuffer input;
    private readonly SendBuffer output;
    private readonly RequestHeadReader heads;
    private readonly Http1ClientStream stream;
    private long idleSince; // milliseconds of TickCount64, 0 while not idle
    private long headSince; // likewise, from the first byte of a head
    private volatile bool draining;
    private volatile bool headTimedOut;
    private bool peerEnded;
    private long served;

    public Http1Connection(HttpConnectionParts parts, RequestPath path)
        : base(parts)
    {
        this.path = path;
        var bytes = parts.Channel.Stream;
        input = new ReceiveBuffer(bytes);
        output = new SendBuffer(bytes);
        heads = new RequestHeadReader(parts.Listener.MaxHeadBytes, parts.Listener.MaxHeaders);
        Upstream = new UpstreamSession(parts.Connector, parts.Destination);
        stream = new Http1ClientStream(this, heads.Head, input, output);
        if (!parts.First.IsEmpty)
        {
            input.Preload(parts.First.Span);
        }
    }

    public override UpstreamSession Upstream { get; }

    /// <summary>Instead of a request came the preface of HTTP/2 (RFC 9113 §3.4), which the listener takes: the connection goes on with <see cref="TakeInput"/> as another.</summary>
    public bool FoundHttp2 { get; private set; }

    public override bool IsDraining => draining;

    /// <summary>The request that asked for it, if one did; it is the successor's to serve.</summary>
    public Http2Upgrade? Upgrade { get; private set; }

    /// <summary>When the request in flight began; 0 when there is none.</summary>
    public long InFlightSince => stream.InFlightSince;

    /// <summary>Why its bytes were refused, for tests' messages.</summary>
    public Http1Error Error => heads.Error;

    public override async Task RunAsync()
    {
        try
        {
            while (await ReadHeadAsync().ConfigureAwait(false))
            {
                served++;
                if (await TryUpgradeAsync().ConfigureAwait(false))
                {
                    break;
                }
                stream.Begin();
                await path.ServeAsync(stream).ConfigureAwait(false);
                if (stream.MayFollowBody && !stream.MayFollow)
                {
                    await DropBodyAsync().ConfigureAwait(false);
                }
                stream.End();
                heads.Head.Release();
                if (!stream.MayFollow)
                {
                    break;
                }
            }
        }
        finally
        {
            Upstream.Dispose();
            if (!FoundHttp2)
            {
                if (!IsAborted)
                {
                    await output.FlushAsync().ConfigureAwait(false);
                }
                await CloseAsync(lingers: !peerEnded).ConfigureAwait(false);
                input.Release();
                output.Release();
            }
        }
    }

    /// <summary>What was received and belongs to the connection's successor. Once.</summary>
    public byte[] TakeInput()
    {
        var bytes = input.Span.ToArray();
        input.Release();
        return bytes;
    }

    /// <summary>Wakes the read that is pending: nothing more is wanted from the client.</summary>
    public void StopReading() => Parts.Channel.Control.ShutdownReceive();

    /// <summary>Says that nothing more comes.</summary>
    public void StopSending() => Parts.Channel.Control.ShutdownSend();

    public override void Sweep(long now)
    {
        var idle = Interlocked.Read(ref idleSince);
        SweepAge(now);
        Upstream.Sweep(now);
        if (idle != 0 && IsIdleTooLong(now - idle))
        {
            StopReading();
        }
        if (idle != 0 && now - idle > Parts.Registry.Admission.UpstreamIdleMillis)
        {
            Upstream.CloseIdle();
        }
        var head = Volatile.Read(ref headSince);
        if (head != 0 && now - head > Listener.RequestHeadersTimeout.TotalMilliseconds && !headTimedOut)
        {
            headTimedOut = true;
            StopReading();
        }
        var begun = stream.InFlightSince;
        if (begun == 0)
        {
            return;
        }
        stream.Sweep(now);
        // Nobody reads from the client while its answer is awaited, so a reset is looked for once a second.
        if (now - begun > 1000 && Parts.Channel.Control.PeerIsGone)
        {
            stream.Fail(new ProxyError(ErrorCode.DownstreamReset, "the client reset the connection"));
        }
    }

    /// <summary>A connection that waits for a request is closed; one that is busy says with its answer that it is the last.</summary>
    public override void BeginDrain()
    {
        draining = true;
        Interlocked.MemoryBarrier(); // either the reader sees it, or this sees that the reader waits
        if (Interlocked.Read(ref idleSince) != 0)
        {
            StopReading();
        }
    }

    protected override void Cut(ProxyError reason)
    {
        Parts.Channel.Control.Reset();
        stream.Fail(reason);
    }

    // The wish is between the client and its next hop (RFC 7540 §3.2); what goes upstream stays HTTP/1.1.
    private async ValueTask<bool> TryUpgradeAsync()
    {
        if (heads.Head.Http2Settings.Length == 0 || Listener.Codec != CodecType.Auto || IsTls || draining)
        {
            return false;
        }
        Upgrade = Http2Upgrade.TryMake(heads.Head, new HeadLimits(Listener.MaxHeadBytes, Listener.MaxHeaders, Listener.Http2.AllowConnect));
        if (Upgrade is null)
        {
            return false;
        }
        FoundHttp2 = true;
        await output.SendAsync(Http2Upgrade.Answer).ConfigureAwait(false);
        await output.FlushAsync().ConfigureAwait(false);
        return true;
    }

    // An answer that did not wait for the body: a short rest is read and dropped, and the connection goes on.
    private async ValueTask DropBodyAsync()
    {
        Volatile.Write(ref headSince, Environment.TickCount64); // has the time of a head
        for (var total = 0; total < LingerBytes;)
        {
            var read = await stream.ReadAsync().ConfigureAwait(false);
            total += read.Data.Length;
            if (read.IsEnd || read.Error.IsError)
            {
                break;
            }
        }
        Volatile.Write(ref headSince, 0);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ReadHeadAsync()
    {
        while (!IsAborted)
        {
            if (served == 0 && Listener.Codec == CodecType.Auto && Http2Preface.Look(input.Span) is var preface and not PrefaceMatch.No)
            {
                if (preface == PrefaceMatch.Whole)
                {
                    FoundHttp2 = true;
                    return false;
                }
                if (!await ReceiveAsync().ConfigureAwait(false))
                {
                    return false;
                }
                continue;
            }
            input.Take(heads.Skip(input.Span));
            var length = input.Count == 0 ? 0 : heads.Read(input.Span);
            if (length > 0)
            {
                input.Take(length);
                Volatile.Write(ref headSince, 0);
                if (IsTls)
                {
                    heads.Head.SchemeName = "https";
                }
                return true;
            }
            if (heads.Error != Http1Error.None)
            {
                await RefuseAsync(Http1Errors.Status(heads.Error), Http1Errors.Label(heads.Error), "the request is not acceptable HTTP/1.1; it was not forwarded").ConfigureAwait(false);
                return false;
            }
            if (!await ReceiveAsync().ConfigureAwait(false))
            {
                return false;
            }
        }
        return false;
    }

    // False: no request comes any more.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ReceiveAsync()
    {
        var idle = input.Count == 0;
        if (idle)
        {
            input.ReleaseIfEmpty();
            output.Release();
            Volatile.Write(ref headSince, 0); // an empty line that was passed over is no request
            Interlocked.Exchange(ref idleSince, Environment.TickCount64);
            if (draining)
            {
                return false;
            }
        }
        else if (Volatile.Read(ref headSince) == 0)
        {
            Volatile.Write(ref headSince, Environment.TickCount64);
        }
        var count = await input.FillAsync().ConfigureAwait(false);
        Interlocked.Exchange(ref idleSince, 0);
        if (count > 0)
        {
            return true;
        }
        peerEnded = true;
        if (!idle && count == 0)
        {
            await RefuseTruncatedAsync().ConfigureAwait(false);
        }
        return false;
    }

    private ValueTask RefuseTruncatedAsync()
    {
        var entry = ErrorTable.Of(headTimedOut ? ErrorCode.RequestHeadTimeout : ErrorCode.RequestHeadTruncated);
        var detail = headTimedOut
            ? $"the request's head was not complete within request_headers_timeout {Listener.RequestHeadersTimeout.TotalSeconds} s"
            : "the client closed the connection within a request's head";
        return RefuseAsync(entry.Status, entry.Label, detail);
    }

    private async ValueTask RefuseAsync(int status, string reason, string detail)
    {
        RecordRefusal(stream.Exchange, reason, detail);
        await output.SendAsync(RawReply.Of(status)).ConfigureAwait(false);
        await output.FlushAsync().ConfigureAwait(false);
    }
}
