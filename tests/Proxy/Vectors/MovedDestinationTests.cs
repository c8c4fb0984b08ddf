using System;
using System.Linq;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;
using Postern.Records;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Vectors;

/// <summary>A WebSocket client names where it wants to go: policy judges that place, at the time and later.</summary>
public sealed class MovedDestinationTests : IDisposable
{
    private readonly JsonDocument policy = JsonDocument.Parse("""
        { "policy": [ { "endpoint_ips": ["127.0.0.1"], "endpoint_id": 42, "ingress_per_port_policies": [],
                        "egress_per_port_policies": [ { "port": 8080, "rules": [ { "remote_policies": [1] } ] } ] } ] }
        """);

    private readonly VectorRig rig = new(IPAddress.Loopback);

    public void Dispose()
    {
        rig.Dispose();
        policy.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PolicyForbidsTheNamedPlace_NothingIsConnectedTo(bool networkFirst)
    {
        var listener = Listen(networkFirst);
        rig.UsePolicy(policy.RootElement, listener.Port); // the listener itself is allowed, where the handshake points to is not
        await rig.ConnectAsync(listener);
        Handshake();

        await rig.UntilAsync(() => rig.Client.Reset, "the reset");

        Assert.False(rig.Upstream.IsConnected);
        Assert.Equal(0, rig.Stat("cluster.up.upstream_cx_active"));
        var denied = rig.Records.Seen.Single(r => r.Type == EntryType.Denied);
        Assert.Equal(("no_rules_for_port", "no"), (denied.Fields["reason"], denied.Fields["http"]));
    }

    [Fact]
    public async Task PolicyChanges_TheOpenTunnelIsCutWithARecord()
    {
        var listener = Listen(networkFirst: false);
        rig.UsePolicy(policy.RootElement, rig.UpstreamAddress.Port);
        await rig.ConnectAsync(listener);
        Handshake();
        rig.Client.Write([0x82, 1, (byte)'x']);
        await rig.UntilAsync(() => rig.Upstream.IsConnected && rig.Upstream.IsAll("x"u8), "the first byte upstream");

        rig.UsePolicy(policy.RootElement, 1);
        await rig.ReviewAsync();

        await rig.UntilAsync(() => rig.Client.Reset && rig.Upstream.Reset, "both resets");
        Assert.Equal("policy_changed", rig.Records.Seen[^1].Fields["reason"]);
        await rig.UntilAsync(() => rig.IsIdle && rig.Stat("cluster.up.upstream_cx_active") == 0, "the end of the relay");
    }

    [Fact]
    public async Task ReservedOpcode_BothSidesAreResetAndTheRecordSaysWhy()
    {
        var listener = Listen(networkFirst: false);
        rig.UsePolicy(policy.RootElement, rig.UpstreamAddress.Port);
        await rig.ConnectAsync(listener);
        Handshake();
        await rig.UntilAsync(() => rig.Upstream.IsConnected, "the upstream connection");

        rig.Client.Write([0x83, 0]);

        await rig.UntilAsync(() => rig.Client.Reset && rig.Upstream.Reset, "both resets");
        Assert.Equal("websocket_protocol_error", rig.Records.Seen[^1].Fields["reason"]);
        Assert.Contains("opcode 3", rig.Records.Seen[^1].Fields["detail"], StringComparison.Ordinal);
    }

    private IPEndPoint Listen(bool networkFirst)
    {
        NetworkFilterConfig server = VectorChain.WebSocket(WebSocketRole.Server, []);
        NetworkFilterConfig network = new CiliumNetworkConfig("");
        return rig.Listen("l", ingress: false, networkFirst ? network : server, networkFirst ? server : network, new TcpProxyConfig("vector", rig.ClusterTo("up", null), null));
    }

    private void Handshake() => rig.Client.Write(Encoding.ASCII.GetBytes(
        $"GET / HTTP/1.1\r\nhost: h\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: k\r\nsec-websocket-version: 13\r\nx-envoy-original-dst-host: {rig.UpstreamAddress}\r\n\r\n"));
}
