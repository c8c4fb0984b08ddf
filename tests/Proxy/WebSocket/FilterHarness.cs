using System;
using System.Collections.Generic;
using System.Net;
using System.Text;
using Postern.Filters.Network.Bytes;
using Postern.Filters.Network.WebSocket;
using Postern.Proxy.Tcp;
using Postern.Tests.Proxy.InMemory;

namespace Postern.Tests.Proxy.WebSocket;

/// <summary>A chain of WebSocket filters without sockets: the test is the client, the server and the clock.</summary>
internal sealed class FilterHarness : IWebSocketCounters
{
    public const string Key = "dGhlIHNhbXBsZSBub25jZQ==";

    private readonly ByteFilterContext context = new()
    {
        Metadata = null,
        Listener = "test",
        Source = IPEndPoint.Parse("10.0.0.9:4000"),
        Destination = IPEndPoint.Parse("10.0.0.1:80"),
        UnixNanos = () => 1,
    };

    public FilterHarness(params (bool Server, WebSocketOptions Options)[] filters)
    {
        Chain = new ByteFilterChain(Array.ConvertAll(filters, f => new WebSocketFilters(f.Options, f.Server, Records, this).Create(context)));
        Chain.Connect(Now);
    }

    public static WebSocketOptions Options { get; } = new()
    {
        Host = "a.b",
        Path = "/",
        Key = Key,
        Version = "13",
        Origin = "",
        HandshakeMillis = 5000,
        PingMillis = 0,
        PingWhenIdle = false,
        Jitter = () => 1,
    };

    public ByteFilterChain Chain { get; }

    public RecordList Records { get; } = new();

    public List<WebSocketCount> Counts { get; } = [];

    public IPEndPoint Destination => context.Destination;

    public long Now { get; private set; } = 1000;

    public void Client(string text, bool end = false) => Chain.FromDownstream(Encoding.Latin1.GetBytes(text), end, Now);

    public void Server(string text, bool end = false) => Chain.FromUpstream(Encoding.Latin1.GetBytes(text), end, Now);

    public void Advance(long millis)
    {
        Now += millis;
        if (Chain.NextTimer <= Now)
        {
            Chain.Tick(Now);
        }
    }

    public string SentUp() => Take(Chain.ToUpstream);

    public string SentDown() => Take(Chain.ToDownstream);

    void IWebSocketCounters.Count(WebSocketCount what) => Counts.Add(what);

    private static string Take(PendingBytes pending)
    {
        var text = Encoding.Latin1.GetString(pending.Span);
        pending.Taken();
        return text;
    }
}
