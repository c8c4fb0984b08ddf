using System;
using System.Linq;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Proxy;

/// <summary>Who talks to whom, as the server sees it and as policy judges it.</summary>
public sealed class IdentityAndAddressTests : IDisposable
{
    private readonly ProxyRig _rig = new();
    private readonly Origin _origin;
    private readonly PosternProcess _proxy;

    public IdentityAndAddressTests()
    {
        _origin = _rig.AddOrigin();
        _proxy = _rig.Start();
    }

    public void Dispose() => _rig.Dispose();

    [NetnsTheory]
    [InlineData("http://10.71.2.2/public/a?x=1", "10.71.1.2 10.71.2.2:80 GET /public/a?x=1", "10.71.2.2:80")]
    [InlineData("http://[fd71:2::2]/public/a?x=1", "fd71:1::2 [fd71:2::2]:80 GET /public/a?x=1", "[fd71:2::2]:80")]
    public void Allowed_ServerSeesTheClientsAddressAndIsTheOriginalDestination(string url, string seen, string destination)
    {
        Assert.Equal("200 " + seen, _rig.Curl(url));

        var record = _rig.WaitForRecord(r => r.Text("entry_type") == "Request");
        Assert.Equal(("forwarded", "1001", "0", destination, "gets"), (record.Text("verdict"), record.Text("source_security_id"), record.Text("destination_security_id"), record.Text("destination_address"), record.Text("rule")));
        _rig.WaitForRecord(r => r.Text("entry_type") == "Response" && r.Text("http.status") == "200");
    }

    [NetnsTheory]
    [InlineData("10.71.2.2:80", ProxyRig.Other)]
    [InlineData("[fd71:2::2]:80", ProxyRig.OtherV6)]
    public void IdentityWithoutRule_IsResetAndTheServerSeesNothing(string to, string source)
    {
        Assert.Equal("reset", _rig.Try("/public", to, source));

        var record = _rig.WaitForRecord(r => r.Text("entry_type") == "Denied");
        Assert.Equal(("1002", "no_rule_for_identity", ""), (record.Text("source_security_id"), record.Text("reason"), record.Text("http.method")));
        Assert.Equal((0, 0L), (_origin.Accepts, _origin.Bytes));
    }

    [NetnsFact]
    public void DeniedRequest_Gets403AndNeverReachesTheServer()
    {
        Assert.Equal("403 Access denied", _rig.Curl("http://10.71.2.2/secret"));
        Assert.Equal("403 Access denied", _rig.Curl("-X", "POST", "-d", "x=1", "http://10.71.2.2/public"));

        Assert.Equal((0, 0L), (_origin.Accepts, _origin.Bytes));
        var record = _rig.WaitForRecord(r => r.Text("entry_type") == "Response");
        Assert.Equal(("denied", "no_http_rule_matched", "403"), (record.Text("verdict"), record.Text("reason"), record.Text("http.status")));
    }

    [NetnsFact]
    public void DeniedBetweenAllowed_OnlyAllowedReachTheServer()
    {
        using var client = _rig.Connect();

        Assert.StartsWith("200 ", client.Ask("/public/1"), StringComparison.Ordinal);
        Assert.Equal("403 Access denied", client.Ask("/private"));
        Assert.StartsWith("200 ", client.Ask("/public/2"), StringComparison.Ordinal);

        Assert.Equal(["/public/1", "/public/2"], _origin.Requests.Select(r => r.Split(' ')[3]));
    }

    [NetnsFact]
    public void ListenerAddressedDirectly_IsRefused()
    {
        // The listener is on the node's loopback: only the node itself can try it.
        var answer = HttpClientSocket.Try(_rig.Net.Node, "127.0.0.1:15001", "/public");

        Assert.DoesNotContain("200", answer, StringComparison.Ordinal);
        Assert.Equal(0, _origin.Accepts);
        Assert.False(_proxy.HasExited);
    }
}
