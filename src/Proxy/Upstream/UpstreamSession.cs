using System;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.WebUtilities;
using Postern.Filters;
using Postern.Proxy.Errors;
using Postern.Proxy.Http1;

namespace Postern.Proxy.Upstream;

/// <summary>
/// The upstream side of one client connection: at most one upstream connection, reused while it stays good and the route stays in the cluster.
/// It is what YARP's forwarder sends through. Failures before a response head come back as values in <see cref="Error"/>; a failure within
/// a body surfaces as the body stream's exception, because by then the client has the status.
/// </summary>
internal sealed class UpstreamSession(IUpstreamConnector connector, ConnectionMetadata? metadata, IPEndPoint originalDestination) : HttpMessageHandler
{
    private const int Busy = 0;
    private const int Idle = 1;
    private const int Closed = 2;
    private static readonly ProxyError ClientsFault = new(ErrorCode.RequestBodyMalformed, "the client's request body broke off or was malformed");

    private Http1UpstreamConnection? connection;
    private ConnectionMetadata? openedFor; // its mark carries their identity
    private ConnectPurpose openedWith = ConnectPurpose.Opaque;
    private RequestHead head = null!;
    private ClusterSnapshot cluster = null!;
    private RequestBodyStream? bodyStream;
    private CancellationTokenSource? bodyStop; // of the latest request with a body; has no timer, so needs no disposing
    private ProxyError timeoutError;
    private int idle; // Busy, Idle or Closed: who moves it on owns the connection, the next request or the sweeper

    /// <summary>What went wrong with the latest request, if no response head was received.</summary>
    public ProxyError Error { get; private set; }

    /// <summary>The latest response's head.</summary>
    public ResponseHead? ResponseHead { get; private set; }

    /// <summary>Called with the response head before YARP copies it.</summary>
    public Action? OnResponse { get; set; }

    /// <summary>Latest byte either way, in milliseconds of <see cref="Environment.TickCount64"/>.</summary>
    public long LastActivity => Math.Max(connection?.Body.LastRead ?? 0, bodyStream?.LastWrite ?? 0);

    /// <summary>Says what the next send is about.</summary>
    /// <param name="request">Its head.</param>
    /// <param name="target">Where it goes.</param>
    /// <param name="client">In whose name; other identities than at the request before get a connection of their own.</param>
    public void Begin(RequestHead request, ClusterSnapshot target, ConnectionMetadata? client)
    {
        metadata = client;
        head = request;
        cluster = target;
        Error = ProxyError.None;
        timeoutError = ProxyError.None;
        ResponseHead = null;
        bodyStream = null;
        bodyStop = null;
    }

    /// <summary>Ends the request from another thread: a deadline passed, the client is gone, or policy forbids it now.</summary>
    public void Fail(ProxyError error)
    {
        timeoutError = error;
        connection?.Dispose();
        StopBody();
    }

    /// <summary>The exchange is over. A connection in an unclear state is closed now.</summary>
    public void End()
    {
        if (connection is { } used && (used.IsDisposed || !used.RequestSent || !used.Body.IsComplete || used.Head.WillClose))
        {
            used.Dispose();
            connection = null;
        }
        if (connection is { } kept)
        {
            kept.Rest();
            Volatile.Write(ref idle, Idle);
        }
    }

    /// <summary>Closes the kept connection, if no request uses it. From the sweeper's thread.</summary>
    public void CloseIdle()
    {
        if (Interlocked.CompareExchange(ref idle, Closed, Idle) == Idle)
        {
            connection?.Dispose();
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(static s => ((UpstreamSession)s!).connection?.Dispose(), this);
        for (var attempt = 0; ; attempt++)
        {
            var opened = await OpenAsync(cancellationToken).ConfigureAwait(false);
            if (opened.IsError)
            {
                return Fault(opened);
            }
            if (timeoutError.IsError)
            {
                return Fault(timeoutError); // its time ran out while it was being connected: nothing may be sent any more
            }
            var error = await ExchangeHeadsAsync(request).ConfigureAwait(false);
            if (!error.IsError)
            {
                ResponseHead = connection!.Head;
                cluster.Stats.Responses.Count(ResponseHead.Status);
                OnResponse?.Invoke();
                return Answer(connection);
            }
            var reused = connection!.Served > 1;
            connection.Dispose();
            connection = null;
            if (cancellationToken.IsCancellationRequested)
            {
                return Fault(timeoutError.IsError ? timeoutError : new ProxyError(ErrorCode.DownstreamReset, "the client went away"));
            }
            // A kept connection that dies before any answer was most likely closed idle by the server: one silent second try, but only where acting
            // twice does no harm (RFC 9110 §9.2.2) and nothing of a body has been read from the client.
            if (attempt == 0 && reused && ErrorTable.Of(error.Code).Retry == RetryClass.ReusedOnly && IsReplayable(head) && !timeoutError.IsError)
            {
                continue;
            }
            return Fault(timeoutError.IsError ? timeoutError : error);
        }
    }

    protected override void Dispose(bool disposing)
    {
        connection?.Dispose();
        base.Dispose(disposing);
    }

    private static bool IsReplayable(RequestHead head) => !head.HasBody && head.Method is ("GET" or "HEAD" or "OPTIONS" or "TRACE" or "DELETE");

    // The forwarder ends only when the request's body has been read, and a client that pauses in it would hold back the answer.
    private void StopBody() => _ = bodyStop?.CancelAsync();

    private static HttpResponseMessage Answer(Http1UpstreamConnection connection)
    {
        var head = connection.Head;
        var message = new HttpResponseMessage((HttpStatusCode)head.Status) { Content = new UpstreamContent(connection.Body) };
        if (!head.Reason.SequenceEqual(ReasonPhrases.GetReasonPhrase(head.Status)) && Ascii.IsValid(head.Reason))
        {
            message.ReasonPhrase = head.Reason.ToString(); // YARP hands it on
        }
        return message;
    }

    private HttpResponseMessage Fault(ProxyError error)
    {
        StopBody();
        Error = error;
        var entry = ErrorTable.Of(error.Code);
        if (entry.Side != ErrorSide.Downstream)
        {
            cluster.Stats.Responses.Count(entry.Status);
        }
        OnResponse?.Invoke();
        return new HttpResponseMessage((HttpStatusCode)entry.Status);
    }

    private async ValueTask<ProxyError> OpenAsync(CancellationToken cancellationToken)
    {
        // After CloseIdle the connection is disposed, so it is not reusable and a new one is opened.
        Interlocked.Exchange(ref idle, Busy);
        // The server of a TLS connection was checked for one host: another host's requests do not go there.
        var purpose = cluster.Config is { AutoSni: true } or { AutoSanValidation: true } ? new ConnectPurpose(Authority: head.Authority.ToString()) : ConnectPurpose.Opaque;
        if (connection is { } kept)
        {
            if (purpose == openedWith && ReferenceEquals(kept.Cluster, cluster) && ReferenceEquals(openedFor, metadata) && kept.IsReusable && kept.IsStillWanted())
            {
                return ProxyError.None;
            }
            kept.Dispose();
            connection = null;
        }
        var destination = cluster.Pick(originalDestination);
        if (destination is null)
        {
            cluster.Stats.NoneHealthy.Increment();
            return new ProxyError(ErrorCode.NoHealthyEndpoint, cluster.NoEndpointDetail);
        }
        var (channel, error) = await connector.ConnectAsync(cluster, destination, metadata, purpose, cancellationToken).ConfigureAwait(false);
        if (channel is not null)
        {
            connection = new Http1UpstreamConnection(channel, cluster, destination);
            openedFor = metadata;
            openedWith = purpose;
        }
        return error;
    }

    private async ValueTask<ProxyError> ExchangeHeadsAsync(HttpRequestMessage request)
    {
        var current = connection!;
        cluster.Stats.RequestsTotal.Increment();
        try
        {
            current.RequestSent = !head.HasBody;
            var send = current.SendHeadAsync(head);
            if (!send.IsCompletedSuccessfully)
            {
                await send.ConfigureAwait(false);
            }
            if (head.HasBody)
            {
                bodyStream = new RequestBodyStream(current, head);
                var stop = new CancellationTokenSource();
                bodyStop = stop;
                _ = SendBodyAsync(request.Content, bodyStream, current, stop.Token);
            }
            var result = await current.ReadHeadAsync(head.Method.SequenceEqual("HEAD")).ConfigureAwait(false);
            return result switch
            {
                HeadResult.Final => ProxyError.None,
                _ when bodyStream is { ClientFailed: true } => ClientsFault, // closing the connection under a read may also look like its end
                HeadResult.ClosedBeforeHead => new ProxyError(ErrorCode.UpstreamReset, "upstream closed the connection before it answered"),
                HeadResult.ClosedInHead => new ProxyError(ErrorCode.UpstreamProtocol, "upstream closed the connection within the response head"),
                _ => new ProxyError(ErrorCode.UpstreamProtocol, "upstream's response head is not acceptable HTTP/1: " + Http1Errors.Label(current.LastError)),
            };
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            if (bodyStream is { ClientFailed: true })
            {
                return ClientsFault;
            }
            return new ProxyError(ErrorCode.UpstreamReset, "upstream connection broke before it answered: " + e.Message);
        }
    }

    // Runs beside the reading of the response, so that an early answer to an unfinished upload gets through.
    private static async Task SendBodyAsync(HttpContent? content, RequestBodyStream body, Http1UpstreamConnection current, CancellationToken stop)
    {
        try
        {
            if (content is not null)
            {
                await content.CopyToAsync(body, stop).ConfigureAwait(false);
            }
            if (!body.Failed)
            {
                await body.FinishAsync().ConfigureAwait(false);
            }
        }
        catch (Exception)
        {
            // The server's side failed: its answer, if any, is on the way and says more. The client's side failed: the request must not end
            // well upstream, so the connection goes.
            if (!body.Failed)
            {
                body.FailClient();
                current.Dispose();
            }
        }
        finally
        {
            // Here and not at the request's end: this copy may outlive the request, and its buffer must not be somebody else's by then.
            await body.DisposeAsync().ConfigureAwait(false);
        }
    }
}
