using System;
using System.Linq;
using System.Net.Sockets;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Proxy;

/// <summary>Clients that send slowly or not at all lose their connection after the configured time.</summary>
public sealed class SlowClientTests : IDisposable
{
    private readonly ProxyRig _rig = new();
    private readonly Origin _origin;

    public SlowClientTests()
    {
        _origin = _rig.AddOrigin();
        _rig.PutPolicy(ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.Rule(1001))));
        _rig.Listener = _rig.Listener with { HeadersTimeout = "1s", StreamIdle = "1s", Idle = "1s", Extra = "\"listener_filters_timeout\":\"1s\"," };
        _rig.Start();
    }

    public void Dispose() => _rig.Dispose();

    [NetnsFact]
    public void SilentFromTheStart_IsReset()
    {
        using var client = _rig.Connect();

        Assert.Equal("reset", client.ReadEnd());
        _rig.WaitForRecord(r => r.Text("reason") == "listener_filters_timeout");
    }

    [NetnsFact]
    public void HeadThatNeverEnds_Gets408()
    {
        using var client = _rig.Connect();
        client.Send("GET / HTTP/1.1\r\nHost: x\r\n");

        Assert.StartsWith("HTTP/1.1 408 ", client.ReadEnd(), StringComparison.Ordinal);
        Assert.Equal("closed", client.ReadEnd());
        _rig.WaitForRecord(r => r.Text("reason") == "request_headers_timeout");
        Assert.Equal(0, _origin.Accepts);
    }

    [NetnsFact]
    public void SecondHeadThatNeverEnds_Gets408()
    {
        using var client = _rig.Connect();
        Assert.StartsWith("200 ", client.Ask("/"), StringComparison.Ordinal);
        client.Send("GET / HT");

        Assert.StartsWith("HTTP/1.1 408 ", client.ReadEnd(), StringComparison.Ordinal);
    }

    [NetnsFact]
    public void IdleBetweenRequests_IsClosed()
    {
        using var client = _rig.Connect();
        Assert.StartsWith("200 ", client.Ask("/"), StringComparison.Ordinal);

        Assert.Equal("closed", client.ReadEnd());
    }

    [NetnsFact]
    public void BodyThatStops_Gets504()
    {
        using var client = _rig.Connect();
        client.Send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nonly this");

        Assert.StartsWith("HTTP/1.1 504 ", client.ReadEnd(), StringComparison.Ordinal);
        _rig.WaitForRecord(r => r.Text("reason") == "stream_idle_timeout" && r.Text("http.status") == "504");
    }

    [NetnsFact]
    public void ServerGoneWhileTheBodyPauses_Gets503AtOnce()
    {
        var to = ProxyRig.Server + ":80";
        _origin.Dispose();
        using var client = _rig.Connect(to);
        client.Send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nonly this");

        Assert.StartsWith("HTTP/1.1 503 ", client.ReadEnd(), StringComparison.Ordinal);
        _rig.WaitForRecord(r => r.Text("reason") == "upstream_connect_refused");
    }

    [NetnsFact]
    public void ServerThatDoesNotAnswer_Gets504()
    {
        using var client = _rig.Connect();

        Assert.StartsWith("504 ", client.Ask("/wait"), StringComparison.Ordinal);
        _rig.WaitForRecord(r => r.Text("reason") == "stream_idle_timeout" && r.Text("http.status") == "504");
    }

    [NetnsFact]
    public void ClientThatDoesNotRead_LosesItsConnection()
    {
        using var client = _rig.Connect();
        client.Send("GET /download/1073741824 HTTP/1.1\r\nHost: x\r\n\r\n");
        _rig.WaitForRecord(r => r.Text("http.status") == "200");

        // Reading nothing at all: the idle timeout ends the upstream side, and five seconds later the client is given up.
        Patience.Until(() => client.Socket.Poll(0, SelectMode.SelectError), () => "the proxy still holds the connection");
    }
}
