using Postern.Tests.Netns.Foreign;
using Postern.Tests.Netns.Proxy;

namespace Postern.Tests.Netns.Http;

/// <summary>Python's websockets on both ends (ws_client.py, ws_server.py); RFC 8441 by Node's http2 on both (h2_client.js, h2_server.js).</summary>
[Collection(nameof(ForeignHttp))]
public sealed class WebSocketTests(HttpRig rig)
{
    [ForeignTheory("python3-websockets")]
    [InlineData("echo", "(True, 'door.v1', 1000)")]
    [InlineData("server_closes", "(4001, 'as you say')")]
    public void Allowed_MessagesAndCloseGoBothWays(string call, string outcome)
    {
        var server = rig.WebSocket;

        Assert.Equal(outcome, rig.RunPython("ws_client.py", $"ws://{ProxyRig.Server}:{HttpRig.WebSocketPort}/open/{call}", call));

        server.WaitForLine("open /open/" + call);
        server.WaitForLine(call == "echo" ? "closed 1000" : "closed 4001");
        Assert.Equal("forwarded HTTP/1.1 101 websocket", HttpRig.Line(rig.WaitForResponse("/open/" + call), "verdict", "http.protocol", "http.status", ":Upgrade"));
    }

    [ForeignFact("python3-websockets")]
    public void Denied_Gets403AndTheServerSeesNothing()
    {
        var server = rig.WebSocket;

        Assert.Equal("status 403", rig.RunPython("ws_client.py", $"ws://{ProxyRig.Server}:{HttpRig.WebSocketPort}/vault", "echo"));

        Assert.Equal("denied no_http_rule_matched 403", HttpRig.Line(rig.WaitForResponse("/vault"), "verdict", "reason", "http.status"));
        Assert.DoesNotContain("open /vault", server.Lines);
    }

    [ForeignFact("nodejs")]
    public void OverHttp2_ExtendedConnectIsATunnel()
    {
        var server = rig.Node;

        Assert.Equal("true 200 one two", rig.Run("node", Programs.Script("h2_client.js"), $"http://{ProxyRig.Server}:{HttpRig.NodePort}", "websocket"));

        server.WaitForLine("CONNECT /open/chat websocket");
        Assert.Equal("forwarded HTTP/2 200", HttpRig.Line(rig.WaitForResponse("/open/chat"), "verdict", "http.protocol", "http.status"));
    }

    [ForeignFact("nodejs")]
    public void OverHttp2_DeniedGets403AndTheServerSeesNothing()
    {
        var server = rig.Node;

        Assert.Equal("403 Access denied", rig.Run("node", Programs.Script("h2_client.js"), $"http://{ProxyRig.Server}:{HttpRig.NodePort}", "deniedWebsocket"));

        Assert.Equal("denied no_http_rule_matched 403", HttpRig.Line(rig.WaitForResponse("/secret/chat"), "verdict", "reason", "http.status"));
        Assert.DoesNotContain(server.Lines, l => l.Contains("/secret", System.StringComparison.Ordinal));
    }
}
