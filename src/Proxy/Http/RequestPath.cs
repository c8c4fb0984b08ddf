using System;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Postern.Filters.Http;
using Postern.Proxy.Errors;
using Postern.Proxy.Http1;
using Yarp.ReverseProxy.Forwarder;

namespace Postern.Proxy.Http;

/// <summary>
/// The life of a request. Kestrel calls it once the gate has vetted a complete head.
/// <code>
///   client ──► 1 gate (strict head)  ──► 2 begin the exchange ──► 3 request filters ──► 4 route ──► 5 forward ──► upstream
///                                              │ refused               │ refused            │ none         │ failed
///                                              ▼                       ▼                    ▼              ▼
///   client ◄── 8 end ◄── 7 body ◄── 6 response filters ◄──────────── local reply ◄──────────────────────────┘
/// </code>
/// 1. <see cref="RequestFramer"/> accepted the head; nothing Kestrel could read differently reaches it.<br/>
/// 2. The exchange takes the head; what Kestrel parsed must be the same request, else the connection is cut.<br/>
/// 3. <see cref="HeadPreparation"/> changes the head as the listener is configured, or ends the request. Filters in chain order; the Cilium policy filter takes its verdict here and emits Request or Denied.<br/>
/// 4. The route table names a cluster.<br/>
/// 5. YARP's forwarder sends through the connection's <see cref="Upstream.UpstreamSession"/>.<br/>
/// 6. Filters in reverse order see the response head, or the local reply's; the Response record is emitted here.<br/>
/// 7. Bodies stream both ways; no filter touches them.<br/>
/// 8. Filters hear of the end, whatever it was.
/// </summary>
internal sealed partial class RequestPath(IHttpForwarder forwarder, ILogger logger) : IHttpApplication<KestrelConnection>
{
    private static readonly ForwarderRequestConfig ForwarderConfig = new()
    {
        // Deadlines are the sweeper's, per route; YARP's own must never be first.
        ActivityTimeout = TimeSpan.FromDays(7),
        Version = new Version(1, 1),
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        AllowResponseBuffering = false,
    };

    public KestrelConnection CreateContext(IFeatureCollection contextFeatures)
    {
        // Kestrel keeps this slot from request to request of a connection.
        var container = contextFeatures as IHostContextContainer<KestrelConnection>;
        var connection = container?.HostContext;
        if (connection is null)
        {
            connection = contextFeatures.Get<KestrelConnection>() ?? throw new InvalidOperationException("an HTTP connection came from nowhere");
            connection.Context = new DefaultHttpContext(contextFeatures);
            if (container is not null)
            {
                container.HostContext = connection;
            }
        }
        else
        {
            connection.Context!.Initialize(contextFeatures);
        }
        return connection;
    }

    public async Task ProcessRequestAsync(KestrelConnection connection)
    {
        // 2. Begin.
        connection.OnRequestBegin();
        var exchange = connection.Exchange;
        var head = connection.Framer.Head;
        exchange.Begin(head, head.Version, Clock.UnixNanos());
        try
        {
            if (!IsSameRequest(connection.Context!, head))
            {
                LogDisagreement(logger, connection.ConnectionId);
                connection.Context!.Abort();
                return;
            }
            // 3. to 7.
            var reply = Admit(connection, head, out var route);
            if (reply is null)
            {
                await ForwardAsync(connection, head, route!).ConfigureAwait(false);
            }
            else
            {
                await ReplyAsync(connection, reply).ConfigureAwait(false);
            }
        }
        finally
        {
            // 8. End.
            var filters = connection.Listener.Filters;
            for (var i = filters.Length - 1; i >= 0; i--)
            {
                filters[i].OnStreamEnd(exchange);
            }
            connection.OnRequestEnd();
        }
    }

    public void DisposeContext(KestrelConnection connection, Exception? exception)
    {
        if (exception is not null)
        {
            LogUnhandled(logger, exception, connection.ConnectionId);
        }
        connection.Context!.Uninitialize();
    }

    // 3. and 4.: the connection manager's own changes, the verdict, then the route. Policy comes before routes, so that a refusal does not depend
    // on them, and after the changes, so that it judges what the upstream gets.
    private static LocalReply? Admit(KestrelConnection connection, RequestHead head, out Route? route)
    {
        route = null;
        if (HeadPreparation.Apply(connection, head) is { } ended)
        {
            return ended;
        }
        foreach (var filter in connection.Listener.Filters)
        {
            if (filter.OnRequestHeaders(connection.Exchange) is { } refused)
            {
                if (refused.Status == StatusCodes.Status403Forbidden)
                {
                    connection.Listener.Stats.OnDenied();
                }
                return refused;
            }
        }
        if (head.IsConnect || head.WantsUpgrade)
        {
            return Reply(ErrorCode.UpgradeNotConfigured, "the client asks to change the protocol (CONNECT or Upgrade), which no upgrade_configs of the listener allows");
        }
        var slot = connection.Listener.Routes;
        if (slot.Current is not { } table)
        {
            connection.Listener.Stats.NoRoute.Increment();
            return Reply(ErrorCode.NoRoute, $"route table {slot.Name} of listener {connection.Listener.Listener} has not arrived; check its rds config_source");
        }
        route = table.Match(head);
        if (route is not null)
        {
            return null;
        }
        connection.Listener.Stats.NoRoute.Increment();
        return Reply(ErrorCode.NoRoute, $"no route of listener {connection.Listener.Listener} matches; see virtual_hosts in its route_config");
    }

    private async Task ForwardAsync(KestrelConnection connection, RequestHead head, Route route)
    {
        var cluster = route.Cluster;
        if (cluster is null)
        {
            connection.Listener.Stats.NoCluster.Increment();
            await ReplyAsync(connection, Reply(ErrorCode.NoCluster, $"cluster {route.Config.Cluster} is unknown; was it removed by CDS?")).ConfigureAwait(false);
            return;
        }
        // Policy judged the path before the route rewrites it, and records show that one; only the upstream sees the other.
        head.UpstreamTarget = route.Rewrite(head);
        SetDeadlines(connection, route);
        // 5. Forward. Step 6 happens within, when the session has the response head.
        var session = connection.Upstream;
        session.Begin(head, cluster, connection.Exchange.Connection);
        connection.FailIfRevoked();
        session.OnResponse ??= () => OnUpstreamResponse(connection);
        var error = await forwarder.SendAsync(connection.Context!, "http://upstream", connection.Invoker, ForwarderConfig, connection.Transformer).ConfigureAwait(false);
        session.End();
        if (connection.Exchange.Reply is { } reply && !connection.Context!.Response.HasStarted)
        {
            if (connection.Framer.WithinBody)
            {
                connection.Context.Response.Headers.Connection = "close"; // where the next request would start is lost
            }
            await WriteReplyAsync(connection, reply).ConfigureAwait(false);
        }
        else if (connection.Exchange.Status == 0)
        {
            OnForwarderFault(connection, error);
        }
    }

    private static void SetDeadlines(KestrelConnection connection, Route route)
    {
        var now = Environment.TickCount64;
        connection.Deadline = route.Config.Timeout is { } timeout ? now + (long)timeout.TotalMilliseconds : 0;
        var idle = route.Config.IdleTimeout ?? connection.Listener.StreamIdleTimeout;
        connection.StreamIdleMillis = idle is { } span ? (long)span.TotalMilliseconds : 0;
    }

    private static void OnUpstreamResponse(KestrelConnection connection)
    {
        var exchange = connection.Exchange;
        var session = connection.Upstream;
        if (session.ResponseHead is { } head)
        {
            exchange.SetResponse(head.Status, head, Clock.UnixNanos());
        }
        else
        {
            var entry = ErrorTable.Of(session.Error.Code);
            exchange.Reply = new LocalReply(entry.Status, entry.Body, entry.Label, session.Error.Detail);
            exchange.SetResponse(entry.Status, LocalReplyHeaders.Of(exchange.Reply), Clock.UnixNanos());
            if (connection.Framer.WithinBody)
            {
                connection.StopUpload(); // a client that stalls in its body must get the answer, and a FIN behind it
            }
        }
        RunResponseFilters(connection);
    }

    // YARP gave up before the session saw a response: the client's body broke off, or the client left.
    private static void OnForwarderFault(KestrelConnection connection, ForwarderError error)
    {
        var code = error switch
        {
            ForwarderError.RequestBodyClient => ErrorCode.RequestBodyMalformed,
            ForwarderError.Request or ForwarderError.RequestCreation when !connection.Context!.RequestAborted.IsCancellationRequested => ErrorCode.Internal,
            _ => ErrorCode.DownstreamReset,
        };
        var entry = ErrorTable.Of(code);
        var exchange = connection.Exchange;
        exchange.Reply = new LocalReply(connection.Context!.Response.HasStarted ? connection.Context.Response.StatusCode : entry.Status, entry.Body, entry.Label, $"forwarding ended: {error}");
        exchange.SetResponse(exchange.Reply.Status, LocalReplyHeaders.Of(exchange.Reply), Clock.UnixNanos());
        RunResponseFilters(connection);
    }

    private static LocalReply Reply(ErrorCode code, string detail)
    {
        var entry = ErrorTable.Of(code);
        return new LocalReply(entry.Status, entry.Body, entry.Label, detail);
    }

    private static ValueTask ReplyAsync(KestrelConnection connection, LocalReply reply)
    {
        var exchange = connection.Exchange;
        exchange.Reply = reply;
        exchange.SetResponse(reply.Status, LocalReplyHeaders.Of(reply), Clock.UnixNanos());
        RunResponseFilters(connection);
        return WriteReplyAsync(connection, reply);
    }

    // 6.
    private static void RunResponseFilters(KestrelConnection connection)
    {
        var filters = connection.Listener.Filters;
        for (var i = filters.Length - 1; i >= 0; i--)
        {
            filters[i].OnResponseHeaders(connection.Exchange);
        }
    }

    // Here a 403 is written, and every other answer that the proxy makes itself.
    private static async ValueTask WriteReplyAsync(KestrelConnection connection, LocalReply reply)
    {
        var response = connection.Context!.Response;
        response.StatusCode = reply.Status;
        var headers = LocalReplyHeaders.Of(reply);
        for (var i = 0; i < headers.Count; i++)
        {
            response.Headers[headers.NameText(i)] = headers.ValueText(i);
        }
        OwnResponseHeaders.Add(connection, response.Headers);
        var head = connection.Framer.Head;
        if (connection.IsDraining || head.IsConnect || (head.HasBody && head.TryFind("expect", out _)))
        {
            // Whether the client will still send its body after this answer is its choice (RFC 9110 §10.1.1), so what would follow is unclear.
            response.Headers.Connection = "close";
        }
        if (reply.Body.Length > 0 && !connection.Framer.Head.Method.SequenceEqual("HEAD"))
        {
            await response.WriteAsync(reply.Body, CancellationToken.None).ConfigureAwait(false);
        }
    }

    // Two parsers looked at the head. If they ever disagree, nothing that was decided is worth anything.
    private static bool IsSameRequest(HttpContext context, RequestHead head)
    {
        var feature = context.Features.GetRequiredFeature<IHttpRequestFeature>();
        return head.Method.SequenceEqual(feature.Method) && head.Target.SequenceEqual(feature.RawTarget);
    }

    [LoggerMessage(1, LogLevel.Critical, "connection {Id}: the strict parser and the HTTP server disagree about a request; the connection was cut. This is a bug.")]
    private static partial void LogDisagreement(ILogger logger, string id);

    [LoggerMessage(2, LogLevel.Error, "connection {Id}: request failed with an unexpected exception")]
    private static partial void LogUnhandled(ILogger logger, Exception exception, string id);
}
