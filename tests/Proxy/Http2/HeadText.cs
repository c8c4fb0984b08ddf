using System.Collections.Generic;
using Postern.Proxy.Http1;
using Postern.Proxy.Http2;
using Postern.Proxy.Http2.Hpack;

namespace Postern.Tests.Proxy.Http2;

/// <summary>Heads as text, so that they can be compared.</summary>
internal static class HeadText
{
    public static readonly HeadLimits Limits = new(60 * 1024, 100, AllowExtendedConnect: true);

    public static Http2HeadError Read(string fields, RequestHead head, bool endStream = true, HeadLimits? limits = null) =>
        new HeadReader().ReadRequest(new HpackDecoder(4096), Block.Of(fields), endStream, head, limits ?? Limits);

    /// <summary>Lines divided by '|'; those never to be indexed have a '!' in front.</summary>
    public static string Lines(HeaderBlock block)
    {
        var lines = new List<string>();
        for (var i = 0; i < block.Count; i++)
        {
            lines.Add($"{(block.NeverIndexedAt(i) ? "!" : "")}{block.NameAt(i)}: {block.ValueAt(i)}");
        }
        return string.Join('|', lines);
    }
}
