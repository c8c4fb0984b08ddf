using System;
using System.Threading.Tasks;
using Postern.Filters.Http;
using Postern.Proxy.Errors;
using Postern.Proxy.Http;
using Postern.Proxy.Http1;

namespace Postern.Proxy.Http2;

/// <summary>A client's request on a stream of HTTP/2. Used again by a later stream of its connection.</summary>
internal sealed class Http2ClientStream : ClientStream, IHttp2StreamOwner
{
    private static readonly ProxyError Stopped = new(ErrorCode.DownstreamReset, "the rest of the request's body is not wanted");
    private static readonly BlockWriter<ResponseHead> WriteHead = HeadWriter.WriteResponse;

    private readonly Http2ServingSession session;
    private HeaderBlock? trailers;

    public Http2ClientStream(HttpConnection connection, Http2ServingSession session)
        : base(connection, new HttpExchange(connection.Metadata, connection.Listener.Listener))
    {
        this.session = session;
        Wire = new Http2Stream(session, this);
        Ended = () => session.OnServed(this);
    }

    public override RequestHead Head { get; } = new();

    /// <inheritdoc/>
    public override HeaderBlock? Trailers => Wire.Trailers;

    /// <summary>The stream as the session has it.</summary>
    public Http2Stream Wire { get; }

    /// <summary>Called when the request was served.</summary>
    public Action Ended { get; }

    /// <summary>What serves it.</summary>
    public Task Serving { get; set; } = Task.CompletedTask;

    /// <summary>Where trailers are read into.</summary>
    public HeaderBlock TrailerBlock => trailers ??= new HeaderBlock();

    /// <summary>A request begins.</summary>
    public void Begin()
    {
        ResetState();
        StreamIdleMillis = Connection.Listener.StreamIdleTimeout is { } idle ? (long)idle.TotalMilliseconds : 0; // a route may say otherwise
        InFlightSince = Environment.TickCount64;
        Touch();
    }

    /// <summary>It is over: its memory is given back.</summary>
    public void Rest()
    {
        InFlightSince = 0;
        Head.Release();
        trailers?.Release();
        Serving = Task.CompletedTask;
    }

    public override ValueTask<BodyRead> ReadAsync()
    {
        Touch();
        return session.ReadBodyAsync(Wire);
    }

    public override ValueTask<bool> SendInterimAsync(ResponseHead head)
    {
        var sent = session.SendHead(Wire, head, false, WriteHead);
        session.RequestFlush();
        return new ValueTask<bool>(sent != false); // one that cannot be written is left out: nothing depends on it
    }

    public override ValueTask<bool> SendHeadAsync(ResponseHead head, bool end)
    {
        Touch();
        IsAnswered = true;
        var sent = session.SendHead(Wire, head.Status == 101 ? ProtocolChange.ToHttp2(head) : head, end, WriteHead);
        if (sent is null)
        {
            Reset(new ProxyError(ErrorCode.UpstreamProtocol, "the answer has a header that HTTP/2 cannot carry"));
        }
        else if (end)
        {
            session.RequestFlush();
        }
        return new ValueTask<bool>(sent == true);
    }

    public override ValueTask<bool> SendAsync(ReadOnlyMemory<byte> data, bool end, HeaderBlock? trailers)
    {
        Touch();
        return session.SendBodyAsync(Wire, data, end, trailers);
    }

    public override ValueTask<bool> FlushAsync()
    {
        session.RequestFlush();
        return new ValueTask<bool>(!Wire.IsReset);
    }

    public override void BeginTunnel()
    {
        // DATA both ways, as before (RFC 9113 §8.5); only its length is nobody's promise.
        Wire.Expected = -1;
    }

    public override void StopBody() => session.Discard(Wire, Failure.IsError ? Failure : Stopped);

    public override void Reset(ProxyError error) => session.ResetStream(Wire, IsAnswered && error.Code is not ErrorCode.RequestBodyMalformed ? CodeOf(error.Code, Http2ErrorCode.InternalError) : CodeOf(error.Code, Http2ErrorCode.RefusedStream), error);

    void IHttp2StreamOwner.OnReset(in ProxyError error) => Fail(error);

    ProxyError IHttp2StreamOwner.TakeHead() => ProxyError.None; // a client's head was there from the start

    private static Http2ErrorCode CodeOf(ErrorCode code, Http2ErrorCode notSent) => code switch
    {
        ErrorCode.DownstreamReset or ErrorCode.ResponseTimeout or ErrorCode.StreamIdleTimeout or ErrorCode.PolicyChanged => Http2ErrorCode.Cancel,
        ErrorCode.RequestBodyMalformed => Http2ErrorCode.ProtocolError,
        ErrorCode.UpstreamConnectRefused or ErrorCode.UpstreamConnectTimeout or ErrorCode.UpstreamUnreachable or ErrorCode.UpstreamSocket => notSent,
        _ => Http2ErrorCode.InternalError,
    };
}
