using System;
using System.Collections.Generic;
using System.Text.Json;
using System.Text.RegularExpressions;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Vectors;

/// <summary>The network filters that a vector's context names, like <c>cilium.network.websocket.client{origin,host=a, ping_interval=1ms, ping_when_idle}</c>.</summary>
internal static class VectorChain
{
    public static List<NetworkFilterConfig> Read(JsonElement context)
    {
        var filters = new List<NetworkFilterConfig>();
        if (!context.TryGetProperty("filter_chain", out var chain))
        {
            filters.Add(new CiliumNetworkConfig(""));
            return filters;
        }
        foreach (var item in chain.EnumerateArray())
        {
            var text = item.GetString()!;
            var name = Regex.Match(text, "^[a-z._]+").Value;
            switch (name)
            {
                case "cilium.network":
                    filters.Add(new CiliumNetworkConfig(""));
                    break;
                case "tcp_proxy":
                    break;
                case "cilium.network.websocket.client" or "cilium.network.websocket.server":
                    var options = Options(text);
                    if (context.TryGetProperty("websocket_client", out var written))
                    {
                        foreach (var property in written.EnumerateObject())
                        {
                            options[property.Name] = property.Value.GetString()!;
                        }
                    }
                    filters.Add(WebSocket(name.EndsWith("client", StringComparison.Ordinal) ? WebSocketRole.Client : WebSocketRole.Server, options));
                    break;
                default:
                    throw new FormatException($"unknown filter {text}");
            }
        }
        return filters;
    }

    public static WebSocketConfig WebSocket(WebSocketRole role, Dictionary<string, string> options) => new()
    {
        Role = role,
        AccessLogPath = "",
        Host = options.GetValueOrDefault("host", ""),
        Path = options.GetValueOrDefault("path", role == WebSocketRole.Client ? "/" : ""),
        Key = options.GetValueOrDefault("key", ""),
        Version = options.GetValueOrDefault("version", role == WebSocketRole.Client ? "13" : ""),
        Origin = options.GetValueOrDefault("origin", ""),
        HandshakeTimeout = TimeSpan.FromSeconds(5),
        PingInterval = options.ContainsKey("ping_interval") ? TimeSpan.FromMilliseconds(1) : null,
        PingWhenIdle = options.ContainsKey("ping_when_idle"),
    };

    // "origin,host=a" gives both that value; a word at the end is a switch.
    public static Dictionary<string, string> Options(string text)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        var open = text.IndexOf('{', StringComparison.Ordinal);
        if (open < 0)
        {
            return options;
        }
        var waiting = new List<string>();
        foreach (var part in text[(open + 1)..text.IndexOf('}', open)].Split(',', StringSplitOptions.TrimEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            waiting.Add(equals < 0 ? part : part[..equals]);
            if (equals >= 0)
            {
                waiting.ForEach(name => options[name] = part[(equals + 1)..]);
                waiting.Clear();
            }
        }
        waiting.ForEach(name => options[name] = "true");
        return options;
    }
}
