using System;
using System.Collections.Generic;
using System.Net;
using System.Threading.Tasks;
using Postern.Proxy.Errors;
using Postern.Proxy.Http;
using Postern.Proxy.Http1;
using Postern.Proxy.Upstream;

namespace Postern.Proxy.Http2;

/// <summary>A request on its way to a server that speaks HTTP/2. One for each request: whoever fails the request may still have it when it is over.</summary>
internal sealed class Http2ServerStream : ServerStream, IHttp2StreamOwner
{
    private const int MaxWaitingHeads = 16;

    private readonly Http2UpstreamConnection connection;
    private ResponseHead head = new();
    private ResponseHead? arrived; // the first head that nobody has read; under the connection's gate, as the next ones
    private Queue<ResponseHead>? later;
    private HeaderBlock? trailers;
    private ProtocolChange? upgrade; // that a client of HTTP/1.1 asked for
    private bool released;

    public Http2ServerStream(Http2UpstreamConnection connection)
    {
        this.connection = connection;
        Wire = new Http2Stream(connection, this) { AwaitsHead = true };
    }

    /// <inheritdoc/>
    public override EndPoint EndPoint => connection.Destination;

    public override ResponseHead Head => head;

    /// <inheritdoc/>
    public override HeaderBlock? Trailers => Wire.Trailers;

    /// <summary>The server said that it did not act on the request, or it never got it.</summary>
    public override bool IsRetryable => Wire.WasRefused;

    /// <summary>The stream as the session has it.</summary>
    public Http2Stream Wire { get; }

    /// <summary>Its answer has no body, whatever its content-length says.</summary>
    public bool IsHeadRequest { get; private set; }

    /// <summary>Where trailers are read into.</summary>
    public HeaderBlock TrailerBlock => trailers ??= new HeaderBlock();

    public override ValueTask<ProxyError> SendHeadAsync(RequestHead head, bool end)
    {
        IsHeadRequest = head.Method.SequenceEqual("HEAD");
        upgrade = ProtocolChange.Of(head);
        // What may become a tunnel stays open behind its head (RFC 9113 §8.5, RFC 8441 §5).
        var error = connection.SendRequest(this, head, end && !head.IsConnect && head.UpgradeProtocol.Length == 0);
        if (end)
        {
            connection.RequestFlush();
        }
        return new ValueTask<ProxyError>(error);
    }

    public override ValueTask<bool> SendAsync(ReadOnlyMemory<byte> data, bool end, HeaderBlock? trailers) => connection.SendBodyAsync(Wire, data, end, trailers);

    public override ValueTask<bool> FlushAsync()
    {
        connection.RequestFlush();
        return new ValueTask<bool>(!Wire.IsReset);
    }

    public override ValueTask<ProxyError> ReadHeadAsync()
    {
        connection.RequestFlush();
        return connection.ReadHeadAsync(this);
    }

    public override ValueTask<BodyRead> ReadAsync() => connection.ReadBodyAsync(Wire);

    public override void BeginTunnel() => connection.BeginTunnel(Wire);

    public override void Abort(ProxyError error) => connection.ResetStream(Wire, Http2ErrorCode.Cancel, error);

    public override void Release()
    {
        if (released)
        {
            return;
        }
        released = true;
        connection.Release(this);
        head.Release();
        trailers?.Release();
    }

    /// <summary>A head came. Under the gate; false: too many wait.</summary>
    public bool Take(ResponseHead came)
    {
        if (arrived is null)
        {
            arrived = came;
            return true;
        }
        later ??= new Queue<ResponseHead>();
        later.Enqueue(came);
        return later.Count < MaxWaitingHeads;
    }

    /// <summary>The next head, or why there is none. Under the gate; false: it has not come yet.</summary>
    public bool TryRead(out ProxyError error)
    {
        error = ProxyError.None;
        if (arrived is { } came)
        {
            head.Release();
            head = upgrade is { } asked && came.Status is >= 200 and < 300 ? asked.ToHttp1(came) : came;
            arrived = null;
            if (later is { Count: > 0 })
            {
                arrived = later.Dequeue();
            }
            return true;
        }
        error = Wire.Error;
        return error.IsError;
    }

    void IHttp2StreamOwner.OnReset(in ProxyError error)
    {
        // Its readers and senders were woken; nobody else waits.
    }

    ProxyError IHttp2StreamOwner.TakeHead() => connection.TakeHead(this);
}
