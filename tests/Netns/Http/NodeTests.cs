using Postern.Tests.Netns.Foreign;
using Postern.Tests.Netns.Proxy;

namespace Postern.Tests.Netns.Http;

/// <summary>Node's http2 on both ends (h2_client.js, h2_server.js).</summary>
[Collection(nameof(ForeignHttp))]
public sealed class NodeTests(HttpRig rig)
{
    [ForeignTheory("nodejs")]
    [InlineData("trailers", "200 body last words")]
    [InlineData("hints", "103 </style.css>; rel=preload 200 hinted")]
    [InlineData("early", "413 too much")]
    [InlineData("mixed", "{\"200\":20,\"403\":20}")]
    public void Request_IsAsWithoutAProxy(string call, string outcome)
    {
        var server = rig.Node;

        Assert.Equal(outcome, rig.Run("node", Programs.Script("h2_client.js"), $"http://{ProxyRig.Server}:{HttpRig.NodePort}", call));
        Assert.DoesNotContain(server.Lines, l => l.Contains("/secret", System.StringComparison.Ordinal));
    }

    [ForeignFact("nodejs")]
    public void RequestOverTls_ReachesTheServerInTheClear()
    {
        _ = rig.Node;

        Assert.Equal("200 body last words", rig.Run("node", Programs.Script("h2_client.js"), $"https://{ProxyRig.Server}:{HttpRig.NodePort}", "trailers", rig.Ca));

        var record = rig.WaitForRecord(r => r.Text("entry_type") == "Response" && r.Text("sni") == HttpRig.Name && r.Text("http.path") == "/open/echo");
        Assert.Equal("HTTP/2 200", HttpRig.Line(record, "http.protocol", "http.status"));
    }
}
