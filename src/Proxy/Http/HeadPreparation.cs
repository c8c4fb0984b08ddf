using System;
using System.Buffers;
using System.Net;
using Microsoft.AspNetCore.Http;
using Postern.Filters.Http;
using Postern.Proxy.Errors;
using Postern.Proxy.Http1;
using Postern.Xds.Config;

namespace Postern.Proxy.Http;

/// <summary>
/// What the connection manager itself does to a request before any filter sees it, in Envoy's order: header names, path, authority, headers about the
/// client, via, x-request-id. So policy, routes, records and the upstream all get the same head.
/// </summary>
internal static class HeadPreparation
{
    private const int PathOnStack = 512; // chars; a longer one is normalised in rented memory

    private const int HostOnStack = 256;

    private static readonly Func<ReadOnlySpan<char>, bool> HasUnderscore = static name => name.Contains('_');

    /// <summary>Changes the head as the listener wants; a reply is the end of the request.</summary>
    public static LocalReply? Apply(HttpConnection connection, RequestHead head)
    {
        var listener = connection.Listener;
        if (listener.Underscores != UnderscoresAction.Allow && CheckNames(listener, head) is { } badName)
        {
            return badName;
        }
        if (listener.Paths.AskForAnything && NormalisePath(listener, head) is { } badPath)
        {
            return badPath;
        }
        if (listener.Hosts.AskForAnything)
        {
            StripHost(connection, head);
        }
        var fromOutside = listener.Forwarded.IsFromOutside(head, connection.ClientAddress);
        listener.Forwarded.Apply(head, connection.ClientAddress, fromOutside);
        if (listener.Via.Length > 0)
        {
            head.AppendToList("via", listener.Via);
        }
        listener.RequestIds.Apply(head, fromOutside);
        return null;
    }

    private static LocalReply? CheckNames(HttpListenerSnapshot listener, RequestHead head)
    {
        var before = head.Count;
        if (listener.Underscores == UnderscoresAction.DropHeader)
        {
            head.RemoveHeaders(HasUnderscore);
            listener.Stats.Http1.DroppedHeaders.Add(before - head.Count);
            return null;
        }
        for (var i = 0; i < before; i++)
        {
            if (HasUnderscore(head.NameAt(i)))
            {
                listener.Stats.Http1.RejectedRequests.Increment();
                return Refusal(ErrorCode.UnderscoreInHeader, "a header's name has an underscore, which headers_with_underscores_action of the listener refuses");
            }
        }
        return null;
    }

    private static LocalReply? NormalisePath(HttpListenerSnapshot listener, RequestHead head)
    {
        var path = head.Path;
        if (!head.HasPath || !PathNormaliser.MayChange(path))
        {
            return null;
        }
        var rented = path.Length > PathOnStack ? ArrayPool<char>.Shared.Rent(path.Length) : null;
        var result = rented is null ? stackalloc char[PathOnStack] : rented.AsSpan();
        try
        {
            var outcome = PathNormaliser.Apply(listener.Paths, path, result, out var length);
            if (outcome is PathOutcome.Changed or PathOutcome.Redirect)
            {
                head.SetPath(result[..length]);
            }
            var reply = Reply(outcome, head);
            if (reply is not null)
            {
                listener.Stats.PathNormalisationFailed.Increment();
            }
            return reply;
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<char>.Shared.Return(rented);
            }
        }
    }

    private static void StripHost(HttpConnection connection, RequestHead head)
    {
        var authority = head.Authority;
        Span<char> result = authority.Length <= HostOnStack ? stackalloc char[HostOnStack] : new char[authority.Length];
        var length = connection.Listener.Hosts.Apply(authority, connection.Destination.Port, result);
        if (length < authority.Length && !head.IsConnect)
        {
            head.SetAuthority(result[..length]);
        }
    }

    private static LocalReply? Reply(PathOutcome outcome, RequestHead head) => outcome switch
    {
        PathOutcome.Unchanged or PathOutcome.Changed => null,
        PathOutcome.Redirect when GrpcCall.IsGrpc(head) =>
            Refusal(ErrorCode.PathRefused, "the path has an escaped slash (%2F or %5C); path_with_escaped_slashes_action would redirect, which no gRPC client follows"),
        PathOutcome.Redirect => Redirect(head.Path.ToString()),
        PathOutcome.EscapedSlash =>
            Refusal(ErrorCode.PathRefused, "the path has an escaped slash (%2F or %5C), which path_with_escaped_slashes_action of the listener refuses"),
        PathOutcome.NestedEscape =>
            Refusal(ErrorCode.PathRefused, "the path escapes a part of an escape (like %%32e), so normalize_path cannot tell which path is meant"),
        PathOutcome.RedirectElsewhere =>
            Refusal(ErrorCode.PathRefused, "without its escaped slashes the path begins with two, and a redirect there would lead to another host; merge_slashes avoids that"),
        _ => Refusal(ErrorCode.PathRefused, "the path has a fragment (#), which never goes on the wire"),
    };

    private static LocalReply Redirect(string location) =>
        new(StatusCodes.Status307TemporaryRedirect, "", ErrorTable.Of(ErrorCode.PathRefused).Label, "the path has an escaped slash (%2F or %5C); path_with_escaped_slashes_action redirects the client to the path without it")
        {
            Location = location,
        };

    private static LocalReply Refusal(ErrorCode code, string detail)
    {
        var entry = ErrorTable.Of(code);
        return new LocalReply(entry.Status, entry.Body, entry.Label, detail);
    }
}
