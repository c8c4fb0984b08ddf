using System;

namespace Postern.Proxy.Http1;

/// <summary>
/// Fields that speak about one connection, not about the message (RFC 9110 §7.6.1). They are dropped on the way, with those that
/// <c>Connection</c> nominates; a nomination of a field that frames or routes the message is an attack and an error.
/// </summary>
internal static class HopByHop
{
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
        var error = StripNominated(head);
        if (error != Http1Error.None)
        {
            return error;
        }
        if (head.TryFind("upgrade", out var protocol))
        {
            head.WantsUpgrade = !protocol.Equals("h2c", StringComparison.OrdinalIgnoreCase);
        }
        foreach (var name in Always)
        {
            head.RemoveHeader(name);
        }
        return Http1Error.None;
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
            head.RemoveHeader(name);
        }
    }

    // Cheap first look: lengths of the names in Always, so that a head without them costs one compare per line.
    private static bool Contains(HeaderBlock head)
    {
        for (var i = 0; i < head.Count; i++)
        {
            var name = head.NameAt(i);
            foreach (var candidate in Always)
            {
                if (name.Length == candidate.Length && name.Equals(candidate, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
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
