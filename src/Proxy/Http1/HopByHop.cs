using System;
using Postern.Records;

namespace Postern.Proxy.Http1;

/// <summary>
/// Fields that speak about one connection, not about the message (RFC 9110 §7.6.1). They are dropped on the way, with those that
/// <c>Connection</c> nominates; a nomination of a field that frames or routes the message is an attack and an error.
/// </summary>
internal static class HopByHop
{
    private const string WebSocket = "websocket";

    private static readonly string[] Always = ["connection", "keep-alive", "proxy-connection", "te", "upgrade", "http2-settings"];

    private static readonly string[] NeverNominated =
        ["host", "content-length", "transfer-encoding", "content-type", "content-encoding", "authorization", "cookie", "x-forwarded-for"];

    /// <summary>Takes them out of a request head.</summary>
    public static Http1Error Strip(RequestHead head)
    {
        if (!Contains(head))
        {
            return Http1Error.None;
        }
        NoteHttp2Settings(head);
        var error = StripNominated(head);
        if (error != Http1Error.None)
        {
            return error;
        }
        var upgrades = NoteConnection(head) && head.Version == HttpProtocol.Http11 && WantsUpgrade(head);
        if (upgrades && head.HasBody)
        {
            return Http1Error.InvalidConnectionHeader; // what belongs to the request, and what to the new protocol, would be anybody's guess
        }
        foreach (var name in Always)
        {
            if (!upgrades || name is not ("connection" or "upgrade"))
            {
                head.RemoveHeader(name);
            }
        }
        if (upgrades && head.TryFind("connection", out var left) && !left.Equals("upgrade", StringComparison.OrdinalIgnoreCase))
        {
            head.SetHeader("connection", "Upgrade");
        }
        return Http1Error.None;
    }

    /// <summary>What <c>Connection</c> says of the connection itself; true when it nominates <c>Upgrade</c>.</summary>
    private static bool NoteConnection(RequestHead head)
    {
        bool close = false, keep = false, upgrade = false;
        for (var i = 0; i < head.Count; i++)
        {
            if (!head.NameIs(i, "connection"))
            {
                continue;
            }
            var list = head.ValueAt(i);
            foreach (var range in list.Split(','))
            {
                var token = list[range].Trim(" \t");
                close |= token.Equals("close", StringComparison.OrdinalIgnoreCase);
                keep |= token.Equals("keep-alive", StringComparison.OrdinalIgnoreCase);
                upgrade |= token.Equals("upgrade", StringComparison.OrdinalIgnoreCase);
            }
        }
        head.AsksClose = close || (head.AsksClose && !keep);
        return upgrade;
    }

    // RFC 7540 §3.2.1: one such field, and Connection names both it and Upgrade. Before the nominated fields go.
    private static void NoteHttp2Settings(RequestHead head)
    {
        if (!head.TryFind("http2-settings", out var settings) || !head.TryFind("upgrade", out var protocol) || !protocol.Equals("h2c", StringComparison.OrdinalIgnoreCase))
        {
            return;
        }
        var count = 0;
        for (var i = 0; i < head.Count; i++)
        {
            count += head.NameIs(i, "http2-settings") ? 1 : 0;
        }
        if (count == 1 && head.Version == HttpProtocol.Http11 && !head.HasBody && Nominates(head, "http2-settings") && Nominates(head, "upgrade"))
        {
            head.Http2Settings = settings.ToString();
        }
    }

    private static bool Nominates(HeaderBlock head, ReadOnlySpan<char> name)
    {
        for (var i = 0; i < head.Count; i++)
        {
            if (!head.NameIs(i, "connection"))
            {
                continue;
            }
            var list = head.ValueAt(i);
            foreach (var range in list.Split(','))
            {
                if (list[range].Trim(" \t").Equals(name, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }
        return false;
    }

    // h2c may be ignored (RFC 9110 §7.8): the request is as good in HTTP/1.1.
    private static bool WantsUpgrade(RequestHead head)
    {
        if (!head.TryFind("upgrade", out var protocol) || protocol.IsEmpty || protocol.Equals("h2c", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }
        head.WantsUpgrade = true;
        head.UpgradeProtocol = protocol.Equals(WebSocket, StringComparison.OrdinalIgnoreCase) ? WebSocket : protocol.ToString().ToLowerInvariant();
        return true;
    }

    /// <summary>Takes them out of a response head; a nomination of a vital field is ignored there.</summary>
    public static void Strip(ResponseHead head)
    {
        if (!Contains(head))
        {
            return;
        }
        _ = StripNominated(head);
        foreach (var name in Always)
        {
            if (name != "upgrade" || head.Status is not (101 or 426)) // RFC 9110 §15.5.22: there it is what the client must know
            {
                head.RemoveHeader(name);
            }
        }
    }

    // Cheap first look: lengths of the names in Always, so that a head without them costs one look at a length per line.
    private static bool Contains(HeaderBlock head)
    {
        for (var i = 0; i < head.Count; i++)
        {
            var name = head.NameAt(i);
            if (name.Length is 2 or 7 or 10 or 14 or 16 && IsAlways(name))
            {
                return true;
            }
        }
        return false;
    }

    private static Http1Error StripNominated(HeaderBlock head)
    {
        Span<char> nominated = stackalloc char[256];
        for (var i = 0; i < head.Count; i++)
        {
            if (!head.NameIs(i, "connection"))
            {
                continue;
            }
            var value = head.ValueAt(i);
            if (value.Length > nominated.Length)
            {
                return Http1Error.InvalidConnectionHeader;
            }
            value.CopyTo(nominated); // the list moves while lines are removed
            var error = StripListed(head, nominated[..value.Length], ref i);
            if (error != Http1Error.None)
            {
                return error;
            }
        }
        return Http1Error.None;
    }

    private static Http1Error StripListed(HeaderBlock head, ReadOnlySpan<char> list, ref int line)
    {
        foreach (var range in list.Split(','))
        {
            var name = list[range].Trim(" \t");
            if (name.IsEmpty || name.Equals("close", StringComparison.OrdinalIgnoreCase) || IsAlways(name))
            {
                continue;
            }
            foreach (var vital in NeverNominated)
            {
                if (name.Equals(vital, StringComparison.OrdinalIgnoreCase))
                {
                    return Http1Error.InvalidConnectionHeader;
                }
            }
            var before = head.Count;
            head.RemoveHeader(name);
            if (head.Count != before)
            {
                line = -1; // lines moved: start over; what was removed cannot match again, so this ends
                return Http1Error.None;
            }
        }
        return Http1Error.None;
    }

    private static bool IsAlways(ReadOnlySpan<char> name)
    {
        foreach (var candidate in Always)
        {
            if (name.Equals(candidate, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }
        return false;
    }
}
