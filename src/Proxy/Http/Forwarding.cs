using System;
using System.Net;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;
using Postern.Filters.Http;
using Postern.Proxy.Errors;
using Postern.Proxy.Http1;
using Postern.Proxy.Upstream;

namespace Postern.Proxy.Http;

/// <summary>
/// Step 5 to 7 of a request: to its upstream and back. The request's body goes up in a flow of its own beside the answer, so an early answer to an unfinished upload gets
/// through, interim ones before it, and both ways stream.
/// </summary>
internal static class Forwarding
{
    private const int MaxAttempts = 2;

    /// <summary>Forwards an admitted request.</summary>
    public static async Task RunAsync(ClientStream stream, Route route)
    {
        var connection = stream.Connection;
        if (route.Cluster is not { } cluster)
        {
            connection.Listener.Stats.NoCluster.Increment();
            await LocalReplies.SendAsync(stream, LocalReplies.Of(ErrorCode.NoCluster, $"cluster {route.Config.Cluster} is unknown; was it removed by CDS?")).ConfigureAwait(false);
            return;
        }
        if (!cluster.TryEnterRequest())
        {
            await FailAsync(stream, cluster, new ProxyError(ErrorCode.UpstreamOverflow, $"cluster {cluster.Name} has circuit_breakers max_requests {cluster.Config.CircuitBreakers.MaxRequests} in flight")).ConfigureAwait(false);
            return;
        }
        try
        {
            await TryAsync(stream, route, cluster).ConfigureAwait(false);
        }
        finally
        {
            cluster.LeaveRequest();
        }
    }

    private static async Task TryAsync(ClientStream stream, Route route, ClusterSnapshot cluster)
    {
        var connection = stream.Connection;
        // Policy judged the path before the route rewrites it, and records show that one; only the upstream sees the other.
        stream.Head.UpstreamTarget = route.Rewrite(stream.Head);
        SetDeadlines(stream, route);
        for (var attempt = 1; ; attempt++)
        {
            connection.FailIfRevoked(stream);
            var (server, error) = await connection.Upstream.OpenAsync(stream, cluster, stream.Exchange.Connection, fresh: attempt > 1).ConfigureAwait(false);
            if (server is null)
            {
                await FailAsync(stream, cluster, error).ConfigureAwait(false);
                return;
            }
            var endpoint = server.EndPoint;
            connection.Verdict?.Enter(endpoint);
            try
            {
                if (Judge(stream, endpoint) is { } refused)
                {
                    server.Abort(new ProxyError(ErrorCode.DownstreamReset, "a filter refused the endpoint"));
                    server.Release();
                    await LocalReplies.SendAsync(stream, refused).ConfigureAwait(false);
                    return;
                }
                if (await ExchangeAsync(stream, cluster, server, mayRetry: attempt < MaxAttempts).ConfigureAwait(false))
                {
                    return;
                }
            }
            finally
            {
                connection.Verdict?.Leave(endpoint);
            }
        }
    }

    private static LocalReply? Judge(ClientStream stream, EndPoint endpoint)
    {
        var listener = stream.Connection.Listener;
        foreach (var filter in listener.Filters)
        {
            if (filter.OnUpstreamSelected(stream.Exchange, endpoint) is { } refused)
            {
                if (refused.Status == StatusCodes.Status403Forbidden)
                {
                    listener.Stats.OnDenied();
                }
                return refused;
            }
        }
        return null;
    }

    // False: nothing happened that anybody could notice, and the request may be sent again.
    private static async ValueTask<bool> ExchangeAsync(ClientStream stream, ClusterSnapshot cluster, ServerStream server, bool mayRetry)
    {
        if (!stream.Attach(server))
        {
            server.Abort(stream.Failure);
        }
        var head = stream.Head;
        var changesProtocol = head.IsConnect || head.UpgradeProtocol.Length > 0;
        var hasBody = head.HasBody && !changesProtocol;
        var error = await server.SendHeadAsync(head, end: !hasBody && !head.IsExtendedConnect).ConfigureAwait(false);
        Upload? upload = null;
        if (!error.IsError)
        {
            if (hasBody)
            {
                upload = Upload.Start(stream, server);
            }
            else if (head.IsExtendedConnect)
            {
                _ = await server.FlushAsync().ConfigureAwait(false);
            }
            error = await ReadHeadAsync(stream, server).ConfigureAwait(false);
        }
        if (!error.IsError)
        {
            await AnswerAsync(stream, cluster, server, upload, changesProtocol).ConfigureAwait(false);
            return true;
        }
        server.Abort(error);
        if (upload is not null)
        {
            stream.StopBody();
            await upload.Ended.ConfigureAwait(false);
            error = upload.ClientError.IsError ? upload.ClientError : error; // closing the connection under a read may also look like its end
        }
        // A kept connection that dies before any answer was most likely closed idle by the server: one silent second try, but only where acting
        // twice does no harm (RFC 9110 §9.2.2) and nothing of a body has been read from the client.
        var again = mayRetry && !stream.Failure.IsError && upload is null && server.IsRetryable && ErrorTable.Of(error.Code).Retry == RetryClass.ReusedOnly && IsReplayable(head);
        stream.Detach();
        server.Release();
        if (!again)
        {
            await FailAsync(stream, cluster, stream.Failure.IsError ? stream.Failure : error).ConfigureAwait(false);
        }
        return !again;
    }

    // Interim responses go on as they come; the first other head is the answer.
    private static async ValueTask<ProxyError> ReadHeadAsync(ClientStream stream, ServerStream server)
    {
        while (true)
        {
            var error = await server.ReadHeadAsync().ConfigureAwait(false);
            if (error.IsError || server.Head.Status is >= 200 or 101)
            {
                return error;
            }
            stream.Touch();
            if (!await stream.SendInterimAsync(server.Head).ConfigureAwait(false))
            {
                return new ProxyError(ErrorCode.DownstreamReset, "the client went away");
            }
        }
    }

    private static async ValueTask AnswerAsync(ClientStream stream, ClusterSnapshot cluster, ServerStream server, Upload? upload, bool changesProtocol)
    {
        var head = server.Head;
        stream.Touch();
        cluster.Stats.Responses.Count(head.Status);
        stream.Exchange.SetResponse(head.Status, head, Clock.UnixNanos());
        LocalReplies.RunResponseFilters(stream);
        OwnResponseHeaders.Add(stream, head);
        var tunnels = changesProtocol && (head.Status == 101 || (head.Status is >= 200 and < 300 && (stream.Head.IsConnect || stream.Head.IsExtendedConnect)));
        var sent = await stream.SendHeadAsync(head, end: head.EndsWithHead && !tunnels).ConfigureAwait(false);
        if (sent && tunnels)
        {
            stream.BeginTunnel();
            server.BeginTunnel();
            stream.Deadline = 0; // a route's timeout is for the answer
            upload = Upload.Start(stream, server);
            sent = await stream.FlushAsync().ConfigureAwait(false);
        }
        if (sent && (tunnels || !head.EndsWithHead))
        {
            sent = await DownloadAsync(stream, server).ConfigureAwait(false);
        }
        if (upload is not null)
        {
            await EndUploadAsync(stream, server, upload, waits: tunnels && sent).ConfigureAwait(false);
        }
        EndAnswer(stream, server, sent);
        stream.Detach();
        if (!sent)
        {
            server.Abort(new ProxyError(ErrorCode.DownstreamReset, "the client went away within the answer"));
        }
        server.Release();
    }

    // Before the server's connection goes to somebody else, and its head and trailers with it.
    private static void EndAnswer(ClientStream stream, ServerStream server, bool sent)
    {
        var exchange = stream.Exchange;
        exchange.ResponseTrailers = server.Trailers;
        exchange.BodyError ??= sent ? null : stream.Failure.IsError ? stream.Failure.Detail : "the client went away within the answer";
        var filters = stream.Connection.Listener.Filters;
        for (var i = filters.Length - 1; i >= 0; i--)
        {
            filters[i].OnResponseEnd(exchange);
        }
    }

    private static async ValueTask<bool> DownloadAsync(ClientStream stream, ServerStream server)
    {
        while (true)
        {
            var reading = server.ReadAsync();
            if (!reading.IsCompleted && !await stream.FlushAsync().ConfigureAwait(false))
            {
                server.Abort(new ProxyError(ErrorCode.DownstreamReset, "the client went away within the answer"));
            }
            var read = await reading.ConfigureAwait(false);
            stream.Touch();
            if (read.Error.IsError)
            {
                stream.Exchange.BodyError = read.Error.Detail;
                stream.Reset(read.Error); // the client must not take a part for the whole
                return false;
            }
            if (!await stream.SendAsync(read.Data, read.IsEnd, read.IsEnd ? server.Trailers : null).ConfigureAwait(false))
            {
                return false;
            }
            if (read.IsEnd)
            {
                return true;
            }
        }
    }

    // The answer is over. A tunnel's other way ends on its own; of an upload nobody needs the rest.
    private static async ValueTask EndUploadAsync(ClientStream stream, ServerStream server, Upload upload, bool waits)
    {
        if (!waits && !upload.Ended.IsCompleted)
        {
            stream.StopBody();
            server.Abort(new ProxyError(ErrorCode.DownstreamReset, "the answer was complete before the request"));
        }
        await upload.Ended.ConfigureAwait(false);
    }

    private static async ValueTask FailAsync(ClientStream stream, ClusterSnapshot cluster, ProxyError error)
    {
        var entry = ErrorTable.Of(error.Code);
        if (entry.Side != ErrorSide.Downstream)
        {
            cluster.Stats.Responses.Count(entry.Status);
        }
        await LocalReplies.SendAsync(stream, LocalReplies.Of(error.Code, error.Detail)).ConfigureAwait(false);
    }

    private static void SetDeadlines(ClientStream stream, Route route)
    {
        var listener = stream.Connection.Listener;
        stream.Deadline = After(Environment.TickCount64, route.Config.Timeout);
        stream.MaxDurationDeadline = After(stream.InFlightSince, route.MaxStreamDuration(stream.Head, listener.MaxStreamDuration));
        stream.StreamIdleMillis = After(0, route.Config.IdleTimeout ?? listener.StreamIdleTimeout);
    }

    private static long After(long since, TimeSpan? span) => span is { } time ? since + Math.Max(1, (long)time.TotalMilliseconds) : 0;

    private static bool IsReplayable(RequestHead head) => !head.HasBody && head.Method is ("GET" or "HEAD" or "OPTIONS" or "TRACE" or "DELETE");
}
