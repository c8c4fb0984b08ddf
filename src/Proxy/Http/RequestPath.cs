using System;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Postern.Filters.Http;
using Postern.Proxy.Errors;
using Postern.Proxy.Http1;

namespace Postern.Proxy.Http;

/// <summary>
/// The life of a request, whatever version of HTTP brought it. A connection calls it once a head is complete and strictly valid.
/// <code>
///   client ──► 1 head ──► 2 begin the exchange ──► 3 request filters ──► 4 route ──► 5 forward ──► upstream
///                               │ refused               │ refused            │ none         │ failed
///                               ▼                       ▼                    ▼              ▼
///   client ◄── 8 end ◄── 7 body ◄── 6 response filters ◄──────────── local reply ◄──────────┘
/// </code>
/// 1. <see cref="RequestHeadReader"/> (HTTP/1) or <see cref="Http2.HeadReader"/> accepted the head.<br/>
/// 2. The exchange takes the head.<br/>
/// 3. <see cref="HeadPreparation"/> changes the head as the listener is configured, or ends the request. Filters in chain order; the Cilium policy filter takes its verdict here and emits Request or Denied.<br/>
/// 4. The route table names a cluster.<br/>
/// 5. <see cref="Forwarding"/> sends through the connection's <see cref="Upstream.UpstreamSession"/>.<br/>
/// 6. Filters in reverse order see the response head, or the local reply's; the Response record is emitted here.<br/>
/// 7. Bodies stream both ways, on their own; no filter touches them.<br/>
/// 8. Filters hear of the end, whatever it was.
/// </summary>
internal sealed partial class RequestPath(ILogger logger)
{
    /// <summary>Serves one request. Never throws: a bug is logged and ends the request.</summary>
    public async Task ServeAsync(ClientStream stream)
    {
        // 2. Begin.
        var listener = stream.Connection.Listener;
        var exchange = stream.Exchange;
        stream.StreamIdleMillis = listener.StreamIdleTimeout is { } idle ? (long)idle.TotalMilliseconds : 0; // a route may say otherwise
        var begun = stream.InFlightSince;
        stream.RequestDeadline = stream.Head.HasBody && listener.RequestTimeout is { } whole ? begun + (long)whole.TotalMilliseconds : 0;
        stream.Connection.CountRequest();
        listener.Stats.OnRequest();
        exchange.Begin(stream.Head, stream.Head.Version, Clock.UnixNanos());
        try
        {
            // 3. to 7.
            var reply = Admit(stream, out var route);
            await (reply is null ? Forwarding.RunAsync(stream, route!) : LocalReplies.SendAsync(stream, reply)).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // One request's bug must not take its connection's other requests, or the process, down.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogUnhandled(logger, e, stream.Connection.Id);
            stream.Reset(new ProxyError(ErrorCode.Internal, "a bug in this proxy"));
        }
        finally
        {
            // 8. End.
            var filters = listener.Filters;
            for (var i = filters.Length - 1; i >= 0; i--)
            {
                filters[i].OnStreamEnd(exchange);
            }
            listener.Stats.OnRequestEnd(exchange.Status, Environment.TickCount64 - begun);
        }
    }

    // 3. and 4.: the connection manager's own changes, the verdict, then the route. Policy comes before routes, so that a refusal does not depend
    // on them, and after the changes, so that it judges what the upstream gets.
    private static LocalReply? Admit(ClientStream stream, out Route? route)
    {
        route = null;
        var (listener, head) = (stream.Connection.Listener, stream.Head);
        if (listener.Overload.StopAcceptingRequests)
        {
            listener.Stats.RequestsOverloaded.Increment();
            return LocalReplies.Of(ErrorCode.Overloaded, "the process is short of what its overload_manager watches and takes no new requests (stop_accepting_requests)");
        }
        if (HeadPreparation.Apply(stream.Connection, head) is { } ended)
        {
            return ended;
        }
        foreach (var filter in listener.Filters)
        {
            if (filter.OnRequestHeaders(stream.Exchange) is { } refused)
            {
                if (refused.Status == StatusCodes.Status403Forbidden)
                {
                    listener.Stats.OnDenied();
                }
                return refused;
            }
        }
        var slot = listener.Routes;
        if (slot.Current is not { } table)
        {
            listener.Stats.NoRoute.Increment();
            return LocalReplies.Of(ErrorCode.NoRoute, $"route table {slot.Name} of listener {listener.Listener} has not arrived; check its rds config_source");
        }
        route = table.Match(head);
        var protocol = head.IsConnect ? "CONNECT" : head.UpgradeProtocol;
        if (protocol.Length > 0 && !(route is null ? listener.Upgrades.Allows(protocol) : route.Allows(listener.Upgrades, protocol)))
        {
            return LocalReplies.Of(ErrorCode.UpgradeNotConfigured, "the client asks to change the protocol (CONNECT or Upgrade), which no upgrade_configs of the listener allows");
        }
        if (route is not null)
        {
            return null;
        }
        listener.Stats.NoRoute.Increment();
        return LocalReplies.Of(ErrorCode.NoRoute, $"no route of listener {listener.Listener} matches; see virtual_hosts in its route_config");
    }

    [LoggerMessage(2, LogLevel.Error, "connection {Id}: request failed with an unexpected exception")]
    private static partial void LogUnhandled(ILogger logger, Exception exception, string id);
}
