using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;
using Postern.Policy.Config;
using Postern.Tests.Proxy.PolicyTest;
using Postern.Xds.Config;
using Xunit.Abstractions;

namespace Postern.Tests.Proxy.Vectors;

/// <summary>The shared vectors of kinds websocket and tcp, live: real sockets, the real pipeline, both families.</summary>
public sealed class TcpVectorTests(ITestOutputHelper output)
{
    /// <summary>What a vector says and we do otherwise, with the reason.</summary>
    private static readonly Dictionary<string, string> Deviations = new(StringComparer.Ordinal)
    {
        ["CiliumTcpProxyIntegrationTest.CiliumTcpProxyUpstreamFlush tcp.<prefix>.upstream_flush_active"] = "needs 50 MB of buffer; ours are bounded, so the client's end is not read before the upstream took what was sent",
        ["CiliumTcpProxyIntegrationTest.CiliumTcpProxyUpstreamFlush tcp.<prefix>.upstream_flush_total"] = "the same",
    };

    [SharedVectorsFact]
    public async Task EveryCase_PlaysAsWritten()
    {
        using var file = JsonDocument.Parse(await File.ReadAllBytesAsync(SharedVectorsFactAttribute.Find()!));
        var (cases, runs, deviating) = (0, 0, 0);
        foreach (var @case in file.RootElement.EnumerateArray().Where(c => c.GetProperty("kind").GetString() is "websocket" or "tcp"))
        {
            cases++;
            var name = @case.GetProperty("name").GetString()!;
            foreach (var family in @case.GetProperty("context").GetProperty("ip_families").EnumerateArray())
            {
                try
                {
                    deviating += await PlayAsync(name, @case, IPAddress.Parse(family.GetString()!));
                    runs++;
                }
                catch (Exception e)
                {
                    throw new Xunit.Sdk.XunitException($"{name} over {family}: {e.Message}");
                }
                output.WriteLine($"{name} over {family}: as written");
            }
        }
        output.WriteLine($"{cases} cases, {runs} runs, {deviating} expectations that we do not meet on purpose");
        Assert.Equal(16, cases);
        Assert.Equal(2 * cases, runs);
    }

    private async Task<int> PlayAsync(string name, JsonElement @case, IPAddress address)
    {
        var deviating = 0;
        var context = @case.GetProperty("context");
        foreach (var request in @case.GetProperty("requests").EnumerateArray())
        {
            using var rig = new VectorRig(address);
            var listener = Open(rig, @case, context);
            await rig.ConnectAsync(listener);
            if (request.TryGetProperty("method", out _))
            {
                await RequestAsync(rig, request);
            }
            var player = new VectorSteps(rig.Peers, listener, rig.Shutdown);
            var metrics = @case.TryGetProperty("expect_metrics", out var expected) ? expected.EnumerateObject().ToList() : [];
            var controlled = @case.TryGetProperty("expect_flow_control", out _);
            var waited = false;
            foreach (var step in request.TryGetProperty("steps", out var steps) ? steps.EnumerateArray().ToList() : [])
            {
                if (!waited && step.TryGetProperty("half_close", out _))
                {
                    waited = true; // what is counted while the connection is open is counted before it ends
                    foreach (var metric in metrics.Where(m => m.Value.ToString() == ">=1"))
                    {
                        await rig.UntilAsync(() => rig.Stat(metric.Name) >= 1, metric.Name);
                    }
                }
                if (controlled && step.TryGetProperty("resume_reading", out _))
                {
                    // What is written is more than the kernel takes; until the proxy has noticed, the client does not help it.
                    await rig.UntilAsync(() => rig.Stat("cluster.up.upstream_flow_control_paused_reading_total") > 0, "a pause of reading the upstream");
                }
                await player.PlayAsync(step);
            }
            if (controlled)
            {
                await rig.UntilAsync(() => rig.Stat("cluster.up.upstream_flow_control_resumed_reading_total") > 0, "the pause's end");
            }
            foreach (var metric in metrics.Where(m => m.Value.ToString() != ">=1"))
            {
                if (Deviations.TryGetValue($"{name} {metric.Name}", out var why))
                {
                    output.WriteLine($"{metric.Name}: {metric.Value} is not met: {why}");
                    deviating++;
                    continue;
                }
                var wanted = metric.Value.GetInt64();
                await rig.UntilAsync(() => rig.Stat(metric.Name.Replace("<prefix>", "vector", StringComparison.Ordinal)) == wanted, $"{metric.Name} = {wanted}");
            }
            await CheckRecordsAsync(rig, name, request);
            rig.Peers.AssertNoFailure();
        }
        return deviating;
    }

    private static IPEndPoint Open(VectorRig rig, JsonElement @case, JsonElement context)
    {
        IPEndPoint listener;
        if (context.TryGetProperty("topology", out _))
        {
            // The two internal listeners are here on loopback sockets.
            var end = rig.Listen("internal-listener2", null, VectorChain.WebSocket(WebSocketRole.Server, VectorChain.Options("{origin=jarno.cilium.rocks}")), Tcp(rig.ClusterTo("up", rig.UpstreamAddress)));
            rig.ClusterTo("internal2", end);
            var manager = new HttpConnectionManagerConfig
            {
                Upgrades = [new UpgradeConfig("websocket", true)],
                StatPrefix = "h",
                HttpFilters = [new L7PolicyConfig("", ""), new RouterConfig()],
                RouteConfig = new RouteConfig("r", [new VirtualHostConfig("v", ["*"], [new RouteEntryConfig("", StringMatchKind.Prefix, "/", [], false, "internal2", null, null)])]),
            };
            var middle = rig.Listen("internal-listener", true, new CiliumNetworkConfig(""), manager);
            rig.UsePolicy(@case, middle.Port);
            var client = VectorChain.WebSocket(WebSocketRole.Client, VectorChain.Options("{origin,host=jarno.cilium.rocks,ping_interval=1ms,ping_when_idle}"));
            return rig.Listen("listener_0", null, client, Tcp(rig.ClusterTo("internal", middle)));
        }
        var ingress = context.GetProperty("is_ingress").GetBoolean();
        var filters = VectorChain.Read(context);
        filters.Add(Tcp(rig.ClusterTo("up", ingress ? rig.UpstreamAddress : null)));
        listener = rig.Listen("listener_0", ingress, [.. filters]);
        rig.UsePolicy(@case, ingress ? listener.Port : rig.UpstreamAddress.Port);
        return listener;
    }

    private static TcpProxyConfig Tcp(string cluster) => new("vector", cluster, TimeSpan.FromHours(1));

    private static async Task RequestAsync(VectorRig rig, JsonElement request)
    {
        var head = new StringBuilder($"{request.GetProperty("method").GetString()} {request.GetProperty("path").GetString()} HTTP/1.1\r\nhost: {request.GetProperty("authority").GetString()}\r\n");
        foreach (var header in request.GetProperty("headers").EnumerateArray())
        {
            head.Append(header[0].GetString()).Append(": ").Append(header[1].GetString()!.Replace("<upstream ip:port>", rig.UpstreamAddress.ToString(), StringComparison.Ordinal)).Append("\r\n");
        }
        rig.Client.Write(Encoding.Latin1.GetBytes(head.Append("\r\n").ToString()));
        var status = request.GetProperty("expect_response_status").GetInt32();
        string Text() => Encoding.Latin1.GetString(rig.Client.Rest());
        await rig.UntilAsync(() => Text().Contains("\r\n\r\n", StringComparison.Ordinal), $"an answer with {status}");
        Assert.StartsWith($"HTTP/1.1 {status} ", Text(), StringComparison.Ordinal);
        if (status == 403)
        {
            Assert.Contains("\r\ncontent-length: 0\r\n", Text(), StringComparison.Ordinal);
            await rig.UntilAsync(() => rig.Client.Ended, "the connection to be closed");
        }
        rig.Client.Take(Text().IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4);
    }

    // Handshakes leave an HTTP request's records; a refusal by frames or policy one of the connection.
    private static async Task CheckRecordsAsync(VectorRig rig, string name, JsonElement request)
    {
        var denied = request.GetProperty("expect").GetString() == "deny";
        string[] wanted = name switch
        {
            _ when name.StartsWith("CiliumTcp", StringComparison.Ordinal) => [],
            "CiliumWebSocketDecap.DeniedNonWebSocket" => ["Denied", "Response"],
            "CiliumWebSocketDecap.AcceptedWebSocket" => ["Request", "Response"],
            "CiliumWebSocketEncap.CiliumWebSocketHandshakeNonHTTPResponse" => ["Request", "Request"],
            _ when name.StartsWith("CiliumWebSocketEncap", StringComparison.Ordinal) => ["Request", "Response"],
            _ when name.StartsWith("CiliumWebSocketCodec", StringComparison.Ordinal) => ["Request", "Request", "Response", "Response"],
            _ => ["Request", "Request", "Request", "Response", "Response", "Response"], // three handshakes, one within the other
        };
        string[] Seen() => [.. rig.Records.Seen.Select(r => r.Type.ToString())];
        await rig.UntilAsync(() => Seen().Order(StringComparer.Ordinal).SequenceEqual(wanted.Order(StringComparer.Ordinal)), $"the records {string.Join(", ", wanted)}");
        Assert.Equal(denied, rig.Records.Seen.Any(r => r.Fields["reason"] != "allowed"));
    }
}
