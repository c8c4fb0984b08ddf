using System;
using System.Net;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Postern.Filters;
using Postern.Proxy.Errors;
using Postern.Proxy.Http;
using Postern.Proxy.Http1;
using Postern.Proxy.Transport;

namespace Postern.Proxy.Upstream;

/// <summary>
/// One upstream connection of HTTP/1.1, and the exchange that is on it: one at a time, sending and reading beside one another. It belongs to one client connection for its
/// life.
/// </summary>
internal sealed class Http1UpstreamConnection : ServerStream
{
    private const int MaxHeadBytes = 64 * 1024;
    private const int MaxHeaders = 256;
    private const int MaxInterimResponses = 16;

    private readonly TransportChannel channel;
    private readonly EndPoint destination;
    private readonly UpstreamSession owner;
    private readonly ConnectionMetadata? openedFor; // its mark carries their identity
    private readonly ConnectPurpose openedWith;
    private readonly ReceiveBuffer input;
    private readonly SendBuffer output;
    private readonly Http1BodyReader body;
    private readonly ResponseHead head = new();
    private EndpointSet endpoints; // the set that the destination was last seen in
    private RequestMeans means;
    private readonly long opened = Environment.TickCount64;
    private long restsSince; // milliseconds of TickCount64
    private int served;
    private int interim;
    private bool requestSent = true;
    private bool answered; // a final head came
    private bool tunnel;
    private int closed;
    private ProxyError abortedBy;

    public Http1UpstreamConnection(TransportChannel channel, ClusterSnapshot cluster, EndPoint destination, ConnectionMetadata? openedFor, ConnectPurpose openedWith, UpstreamSession owner)
    {
        this.channel = channel;
        this.destination = destination;
        this.openedFor = openedFor;
        this.openedWith = openedWith;
        this.owner = owner;
        Cluster = cluster;
        endpoints = cluster.Endpoints;
        input = new ReceiveBuffer(channel.Stream);
        output = new SendBuffer(channel.Stream);
        body = new Http1BodyReader(input, new TrailerSection(refusesForbidden: false), ErrorCode.UpstreamProtocol, ErrorCode.UpstreamReset, ErrorCode.UpstreamReset, "upstream");
        cluster.Stats.ConnectionsActive.Increment();
    }

    public ClusterSnapshot Cluster { get; }

    /// <summary>Where it goes.</summary>
    public override EndPoint EndPoint => destination;

    public override ResponseHead Head => head;

    public override HeaderBlock? Trailers => body.Trailers;

    public override bool IsRetryable => served > 1 && !answered && interim == 0;

    /// <summary>Whether the next request may use it: it is for this cluster and these identities, its endpoint is still wanted, and the server has not closed or spoken out of turn.</summary>
    public bool Fits(ClusterSnapshot cluster, ConnectionMetadata? metadata, ConnectPurpose purpose) =>
        closed == 0 && ReferenceEquals(Cluster, cluster) && ReferenceEquals(openedFor, metadata) && openedWith == purpose && MayServeMore && input.Count == 0 && !channel.Control.HasInput && IsStillWanted();

    /// <summary>It has been at rest for longer than its cluster allows.</summary>
    public bool HasRestedTooLong(long now) => Cluster.IsIdleTooLong(now - Volatile.Read(ref restsSince));

    // common_http_protocol_options of the cluster bound what one connection is used for.
    private bool MayServeMore =>
        (Cluster.Config.MaxRequestsPerConnection == 0 || served < Cluster.Config.MaxRequestsPerConnection)
        && (Cluster.Config.MaxConnectionDuration is not { } age || Environment.TickCount64 - opened < age.TotalMilliseconds);

    public override ValueTask<ProxyError> SendHeadAsync(RequestHead request, bool end)
    {
        served++;
        Cluster.Stats.RequestsTotal.Increment();
        answered = tunnel = false;
        interim = 0;
        means = new RequestMeans(request.Method.SequenceEqual("HEAD"), request.IsConnect, request.UpgradeProtocol, request.IsExtendedConnect, RequestWriter.Chunks(request));
        requestSent = end;
        body.Begin(BodyFramer.None());
        RequestWriter.Write(request, output);
        return end ? FlushHeadAsync() : new ValueTask<ProxyError>(ProxyError.None);
    }

    public override ValueTask<bool> SendAsync(ReadOnlyMemory<byte> data, bool end, HeaderBlock? trailers)
    {
        if (tunnel)
        {
            return SendRawAsync(data, end);
        }
        var send = BodyWriter.SendAsync(means.Chunked, data, end, trailers, output);
        if (!end)
        {
            return send;
        }
        return send.IsCompletedSuccessfully ? new ValueTask<bool>(requestSent = send.Result) : FinishRequestAsync(send);
    }

    public override ValueTask<bool> FlushAsync() => output.FlushAsync();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ProxyError> ReadHeadAsync()
    {
        while (true)
        {
            var at = input.Span.IndexOf("\r\n\r\n"u8);
            if (at >= 0)
            {
                return TakeHead(at + 4);
            }
            if (input.Count >= MaxHeadBytes)
            {
                return Malformed(Http1Error.HeadTooLarge);
            }
            var count = await input.FillAsync().ConfigureAwait(false);
            if (abortedBy.IsError)
            {
                return abortedBy;
            }
            if (count <= 0)
            {
                return input.Count > 0 || interim > 0
                    ? new ProxyError(ErrorCode.UpstreamProtocol, "upstream closed the connection within the response head")
                    : new ProxyError(ErrorCode.UpstreamReset, $"upstream {(count == 0 ? "closed" : "reset")} the connection before it answered");
            }
        }
    }

    public override ValueTask<BodyRead> ReadAsync() => body.ReadAsync();

    public override void BeginTunnel()
    {
        tunnel = true;
        body.Begin(BodyFramer.UntilClose());
    }

    public override void Abort(ProxyError error)
    {
        if (Volatile.Read(ref closed) == 0)
        {
            abortedBy = error;
            body.Stop(error);
            Close(reset: true);
        }
    }

    public override void Release()
    {
        body.Finish();
        if (closed == 0 && answered && requestSent && !tunnel && body.IsComplete && !head.WillClose && input.Count == 0)
        {
            head.Release();
            input.Release();
            output.Release();
            Volatile.Write(ref restsSince, Environment.TickCount64);
            owner.Keep(this);
            return;
        }
        Close(reset: tunnel && !body.IsComplete);
        head.Release();
        input.Release();
        output.Release();
    }

    /// <summary>Closes it, from any thread.</summary>
    public void Close() => Close(reset: false);

    private void Close(bool reset)
    {
        if (Interlocked.Exchange(ref closed, 1) != 0)
        {
            return;
        }
        if (reset)
        {
            channel.Control.Reset();
        }
        channel.Stream.Dispose();
        Cluster.Stats.ConnectionsActive.Decrement();
    }

    // One comparison unless EDS spoke since.
    private bool IsStillWanted()
    {
        var now = Cluster.Endpoints;
        if (!ReferenceEquals(endpoints, now))
        {
            if (!Cluster.StillUses(destination))
            {
                return false;
            }
            endpoints = now;
        }
        return true;
    }

    private ProxyError TakeHead(int length)
    {
        var error = ResponseParser.Parse(input.Span[..length], head, MaxHeaders);
        if (error != Http1Error.None)
        {
            return Malformed(error);
        }
        input.Take(length);
        if (head.Status == 101 ? !IsAskedFor() : head.Status < 200 && ++interim > MaxInterimResponses)
        {
            return Malformed(Http1Error.InvalidStatusLine); // nobody asked for that protocol, or an endless row of interim answers
        }
        if (means.Extended && head.Status is >= 200 and < 300)
        {
            // In HTTP/2 a 2xx would be the yes that this is not (RFC 8441 §5).
            return new ProxyError(ErrorCode.UpstreamProtocol, $"the server answered an Upgrade with {head.Status}: it did not change the protocol, and a client of HTTP/2 would take that for a yes");
        }
        if (head.Status >= 200 || head.Status == 101)
        {
            answered = true;
            BeginBody();
        }
        return ProxyError.None;
    }

    // RFC 9110 §7.8: a server changes to a protocol that was asked for, and policy and listener allowed no other.
    private bool IsAskedFor() =>
        means.Upgrade is { Length: > 0 } asked && head.TryFind("upgrade", out var chosen) && chosen.Equals(asked, StringComparison.OrdinalIgnoreCase);

    private void BeginBody()
    {
        if (means.Head || head.Status is 101 or 204 or 304 || (means.Connects && head.Status < 300))
        {
            body.Begin(BodyFramer.None());
            head.EndsWithHead = true;
        }
        else if (head.IsChunked)
        {
            body.BeginChunked();
        }
        else if (head.ContentLength >= 0)
        {
            body.Begin(BodyFramer.OfLength(head.ContentLength));
            head.EndsWithHead = head.ContentLength == 0;
        }
        else
        {
            body.Begin(BodyFramer.UntilClose());
            head.WillClose = true;
        }
    }

    private static ProxyError Malformed(Http1Error error) =>
        new(ErrorCode.UpstreamProtocol, "upstream's response head is not acceptable HTTP/1: " + Http1Errors.Label(error));

    private async ValueTask<ProxyError> FlushHeadAsync()
    {
        // A server that takes no more may have answered already: reading says.
        _ = await output.FlushAsync().ConfigureAwait(false);
        return abortedBy;
    }

    private async ValueTask<bool> FinishRequestAsync(ValueTask<bool> send) => requestSent = await send.ConfigureAwait(false);

    private async ValueTask<bool> SendRawAsync(ReadOnlyMemory<byte> data, bool end)
    {
        var sent = await output.SendAsync(data).ConfigureAwait(false) && (!end || await output.FlushAsync().ConfigureAwait(false));
        if (sent && end)
        {
            channel.Control.ShutdownSend();
        }
        return sent;
    }

    /// <summary>What of the request decides how its answer is read.</summary>
    private readonly record struct RequestMeans(bool Head, bool Connects, string? Upgrade, bool Extended, bool Chunked);
}
