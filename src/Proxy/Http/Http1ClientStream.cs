using System;
using System.Threading.Tasks;
using Postern.Filters.Http;
using Postern.Proxy.Errors;
using Postern.Proxy.Http1;
using Postern.Proxy.Transport;
using Postern.Records;

namespace Postern.Proxy.Http;

/// <summary>The request in flight on a connection of HTTP/1; one object for all of the connection's requests, one after the other.</summary>
internal sealed class Http1ClientStream : ClientStream
{
    private static readonly ProxyError Stopped = new(ErrorCode.RequestBodyMalformed, "the answer was decided before the request's body was there");

    private readonly Http1Connection connection;
    private readonly Http1BodyReader body;
    private readonly SendBuffer output;
    private readonly RequestHead head;
    private AnswerFraming framing;
    private bool tunnel;
    private bool ended; // the answer went out whole
    private bool broken; // the client takes nothing any more, or the answer broke off

    public Http1ClientStream(Http1Connection connection, RequestHead head, ReceiveBuffer input, SendBuffer output)
        : base(connection, new HttpExchange(connection.Metadata, connection.Listener.Listener))
    {
        this.connection = connection;
        this.output = output;
        this.head = head;
        body = new Http1BodyReader(input, new TrailerSection(refusesForbidden: true), ErrorCode.RequestBodyMalformed, ErrorCode.RequestBodyMalformed, ErrorCode.DownstreamReset, "client");
    }

    public override RequestHead Head => head;

    public override HeaderBlock? Trailers => body.Trailers;

    /// <summary>The answer says that it is the connection's last.</summary>
    public bool Closes { get; private set; }

    /// <summary>The next request may come on this connection.</summary>
    public bool MayFollow => MayFollowBody && body.IsComplete;

    /// <summary>It may once the rest of the request's body is out of the way.</summary>
    public bool MayFollowBody => ended && !Closes && !tunnel && !broken && !body.Failed;

    /// <summary>A head is complete and its request begins.</summary>
    public void Begin()
    {
        ResetState();
        Closes = tunnel = ended = broken = false;
        if (head.IsChunked)
        {
            body.BeginChunked();
        }
        else
        {
            body.Begin(head.ContentLength > 0 ? BodyFramer.OfLength(head.ContentLength) : BodyFramer.None());
        }
        InFlightSince = Environment.TickCount64;
        Touch();
    }

    /// <summary>Everything about the request is over.</summary>
    public void End()
    {
        body.Finish();
        InFlightSince = 0;
    }

    public override ValueTask<BodyRead> ReadAsync() => body.ReadAsync();

    public override ValueTask<bool> SendInterimAsync(ResponseHead interim)
    {
        if (head.Version == HttpProtocol.Http10 || interim.Status == 101)
        {
            return new ValueTask<bool>(true); // RFC 9110 §15.2: a client of HTTP/1.0 knows none
        }
        ResponseWriter.WriteInterim(interim, output);
        return FlushAsync();
    }

    public override ValueTask<bool> SendHeadAsync(ResponseHead answer, bool end)
    {
        IsAnswered = true;
        framing = FramingOf(answer, end);
        Closes = connection.IsDraining || head.AsksClose || framing == AnswerFraming.UntilClose
            // Whether the client will still send its body after this answer is its choice (RFC 9110 §10.1.1), so what would follow is unclear.
            || (!body.IsComplete && (head.ExpectsContinue || Failure.IsError)) || body.Failed || head.IsConnect;
        ResponseWriter.Write(answer, framing, ConnectionOf(answer), output);
        if (!end && framing is not (AnswerFraming.None or AnswerFraming.Empty))
        {
            return new ValueTask<bool>(!output.IsBroken);
        }
        ended = true;
        return FlushAsync();
    }

    public override ValueTask<bool> SendAsync(ReadOnlyMemory<byte> data, bool end, HeaderBlock? trailers)
    {
        if (tunnel)
        {
            return SendRawAsync(data, end);
        }
        ended = end;
        return BodyWriter.SendAsync(framing == AnswerFraming.Chunked, data, end, trailers, output);
    }

    public override ValueTask<bool> FlushAsync() => output.FlushAsync();

    public override void BeginTunnel()
    {
        tunnel = true;
        Closes = true;
        body.Begin(BodyFramer.UntilClose());
    }

    public override void StopBody()
    {
        if (!body.IsComplete)
        {
            body.Stop(Failure.IsError ? Failure : Stopped);
            connection.StopReading();
        }
    }

    public override void Reset(ProxyError error)
    {
        broken = true;
        connection.Abort();
    }

    private async ValueTask<bool> SendRawAsync(ReadOnlyMemory<byte> data, bool end)
    {
        var sent = await output.SendAsync(data).ConfigureAwait(false) && (!end || await output.FlushAsync().ConfigureAwait(false));
        if (sent && end)
        {
            ended = true;
            connection.StopSending();
        }
        return sent;
    }

    private AnswerFraming FramingOf(ResponseHead answer, bool end)
    {
        if (answer.Status == 101 || (head.IsConnect && answer.Status is >= 200 and < 300))
        {
            return AnswerFraming.Tunnel;
        }
        if (answer.Status is 204 or 304 || head.Method.SequenceEqual("HEAD"))
        {
            return AnswerFraming.None;
        }
        if (answer.ContentLength >= 0)
        {
            return AnswerFraming.Length;
        }
        if (end)
        {
            return AnswerFraming.Empty;
        }
        return head.Version == HttpProtocol.Http10 ? AnswerFraming.UntilClose : AnswerFraming.Chunked;
    }

    private string ConnectionOf(ResponseHead answer)
    {
        if (framing == AnswerFraming.Tunnel)
        {
            return answer.Status == 101 ? "Upgrade" : "";
        }
        return Closes ? "close" : head.Version == HttpProtocol.Http10 ? "keep-alive" : "";
    }
}
