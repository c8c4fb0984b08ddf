using System;
using System.Threading.Tasks;
using Postern.Filters.Http;
using Postern.Proxy.Errors;
using Postern.Proxy.Http1;

namespace Postern.Proxy.Http;

/// <summary>Answers that the proxy makes itself: here a 403 is written, and every other one.</summary>
internal static class LocalReplies
{
    /// <summary>The answer for an error.</summary>
    public static LocalReply Of(ErrorCode code, string detail)
    {
        var entry = ErrorTable.Of(code);
        return new LocalReply(entry.Status, entry.Body, entry.Label, detail);
    }

    /// <summary>Phase 6 and the answer itself.</summary>
    public static async Task SendAsync(ClientStream stream, LocalReply reply)
    {
        var exchange = stream.Exchange;
        exchange.Reply = reply;
        var isGrpc = GrpcCall.IsGrpc(stream.Head);
        var head = new ResponseHead();
        if (isGrpc)
        {
            GrpcReply.Write(reply, head);
        }
        else
        {
            LocalReplyHeaders.Write(reply, head);
        }
        exchange.SetResponse(head.Status, head, Clock.UnixNanos());
        RunResponseFilters(stream);
        head.AppendHeader("Date", Clock.HttpDate()); // RFC 9110 §6.6.1: of what originates here
        OwnResponseHeaders.Add(stream, head);
        var hasBody = !isGrpc && reply.Body.Length > 0;
        if (await stream.SendHeadAsync(head, end: !hasBody).ConfigureAwait(false) && hasBody && !stream.Head.Method.SequenceEqual("HEAD"))
        {
            await stream.SendAsync(LocalReplyHeaders.BodyOf(reply), end: true, null).ConfigureAwait(false);
        }
    }

    /// <summary>The request ends without an answer that anybody could send: records show what happened.</summary>
    public static void Note(ClientStream stream, ErrorCode code, string detail)
    {
        var exchange = stream.Exchange;
        exchange.Reply = Of(code, detail);
        exchange.SetResponse(exchange.Reply.Status, LocalReplyHeaders.Of(exchange.Reply), Clock.UnixNanos());
        RunResponseFilters(stream);
    }

    /// <summary>Phase 6: filters in reverse order.</summary>
    public static void RunResponseFilters(ClientStream stream)
    {
        var filters = stream.Connection.Listener.Filters;
        for (var i = filters.Length - 1; i >= 0; i--)
        {
            filters[i].OnResponseHeaders(stream.Exchange);
        }
    }
}
