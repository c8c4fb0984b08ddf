using System;
using System.Text;
using Postern.Filters.Network.WebSocket;

namespace Postern.Proxy.Stats;

/// <summary>Stats of all WebSocket network filters together, under Cilium's names.</summary>
internal sealed class WebSocketStats : IWebSocketCounters
{
    private readonly Counter[] cells;

    public WebSocketStats(StatsScope scope) => cells = Array.ConvertAll(Enum.GetNames<WebSocketCount>(), name => scope.Counter(SnakeCase(name)));

    /// <summary>The name of the scope.</summary>
    public static ScopeName Name { get; } = new("websocket", "websocket", []);

    public void Count(WebSocketCount what) => cells[(int)what].Increment();

    private static string SnakeCase(string name)
    {
        var text = new StringBuilder(name.Length + 4);
        foreach (var c in name)
        {
            if (char.IsAsciiLetterUpper(c) && text.Length > 0)
            {
                text.Append('_');
            }
            text.Append(char.ToLowerInvariant(c));
        }
        return text.ToString();
    }
}
