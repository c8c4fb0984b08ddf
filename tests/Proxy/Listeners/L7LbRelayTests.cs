using System;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Filters.Listener;
using Postern.Policy;
using Postern.Proxy.Http;
using Postern.Proxy.Listeners;
using Postern.Proxy.Upstream;
using Postern.Tests.Proxy.InMemory;
using Postern.Tests.Proxy.Vectors;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Listeners;

/// <summary>A load balancer's listener whose chain ends in tcp_proxy, over loopback. The client and its endpoint are 127.0.0.1, identity 201; the Ingress IP is 10.9.9.9, identity 8.</summary>
public sealed class L7LbRelayTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Socket origin = Listening();
    private readonly Socket front = Listening();
    private readonly Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly TestPolicy policy = new();
    private readonly RecordList records = new();
    private readonly ConnectionRegistry registry = new(new Admission(10));
    private readonly PolicyReview review;

    public L7LbRelayTests() => review = new PolicyReview(() => [registry], NullLogger.Instance);

    public void Dispose()
    {
        review.Dispose();
        registry.AbortAll();
        client.Dispose();
        origin.Dispose();
        front.Dispose();
    }

    [Fact]
    public async Task EastWestAllowed_BytesPassUntilPolicyForbidsTheEndpoint()
    {
        Use(Pod(201));
        _ = ServeAsync(Filter(eastWest: true));
        using var server = await PassAsync();
        Assert.Empty(records.Seen);

        Use(Pod(202));
        await review.WalkAsync();

        await CutAsync();
        var record = Assert.Single(records.Seen);
        Assert.Equal(("Denied", "policy_changed", "127.0.0.1", origin.LocalEndPoint!.ToString()), (record.Type.ToString(), record.Fields["reason"], record.Fields["policy"], record.Fields["destination"]));
    }

    [Fact]
    public async Task EastWestDenied_IsResetWithoutAConnection()
    {
        Use(Pod(202));
        await ServeAsync(Filter(eastWest: true));
        await CutAsync();
        var record = Assert.Single(records.Seen);
        Assert.Equal(("Denied", "no_rule_for_identity", "201", origin.LocalEndPoint!.ToString()), (record.Type.ToString(), record.Fields["reason"], record.Fields["destination-identity"], record.Fields["destination"]));
        Assert.False(origin.Poll(0, SelectMode.SelectRead), "the endpoint was connected to");
    }

    [Fact]
    public async Task EastWestRuleLooksInside_IsReset()
    {
        Use(Pod(201, ""","http_rules":{"http_rules":[{}]}"""));
        await ServeAsync(Filter(eastWest: true));
        await CutAsync();
        Assert.Equal("no_http_rule_matched", Assert.Single(records.Seen).Fields["reason"]);
    }

    [Theory]
    [InlineData(true, "is no endpoint of this node")]
    [InlineData(false, "set enforce_policy_on_l7lb")]
    public async Task NobodysPolicyApplies_IsReset(bool eastWest, string why)
    {
        Use("[]");
        await ServeAsync(Filter(eastWest, enforces: false));
        await CutAsync();
        Assert.Contains(why, Assert.Single(records.Seen).Fields["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task NorthSouthAllowedByTheIngressPolicy_LeavesARequestRecord()
    {
        Use($$"""[{"endpoint_ips":["10.9.9.9"],"endpoint_id":9,"ingress_per_port_policies":[{"port":{{Port(front)}},"rules":[{"remote_policies":[201]}]}],"egress_per_port_policies":[{"port":{{Port(origin)}}}]}]""");
        _ = ServeAsync(Filter(eastWest: false));
        using var server = await PassAsync();
        var record = Assert.Single(records.Seen);
        Assert.Equal(("Request", "allowed", "10.9.9.9", "8", "no"), (record.Type.ToString(), record.Fields["reason"], record.Fields["policy"], record.Fields["source"], record.Fields["http"]));
    }

    private async Task ServeAsync(BpfMetadata filter)
    {
        var accepting = front.AcceptAsync(Deadline());
        await client.ConnectAsync(front.LocalEndPoint!, Deadline());
        var early = new EarlyConnection(await accepting, null);
        Assert.True(registry.Admission.TryEnter() == Admitted.Yes && registry.TryAccept(early));
        var cluster = new ClusterSnapshot(new ClusterConfig("echo", ClusterType.Static, Patience, [origin.LocalEndPoint!]));
        var chain = new ChainSnapshot { Name = "", JudgesConnection = true, Sink = records, Tcp = new TcpProxySnapshot("echo", () => cluster, null) };
        var listener = new ListenerSnapshot
        {
            Config = new ListenerConfig { Name = "lb", Addresses = [(IPEndPoint)front.LocalEndPoint!] },
            InspectTls = false,
            InspectHttp = false,
            MaxInspectBytes = 1024,
            Metadata = filter,
            OriginalDst = false,
            Chains = new FilterChainMatcher<ChainSnapshot>([], chain),
            Sink = records,
        };
        var pipeline = new ConnectionPipeline(new HttpEngine(NullLoggerFactory.Instance), new UpstreamConnector(), NullLogger.Instance);
        await pipeline.ServeAsync(early, listener, (IPEndPoint)front.LocalEndPoint!, registry);
    }

    private BpfMetadata Filter(bool eastWest, bool enforces = true) => new()
    {
        Direction = TrafficDirection.Egress, ProxyId = 0, UseOriginalSourceAddress = eastWest, IsL7Lb = true, MarkUpstream = false,
        Ipv4SourceAddress = IPAddress.Parse("10.9.9.9"), EnforcePolicyOnL7Lb = enforces, Policy = policy,
    };

    private void Use(string resources)
    {
        var hosts = JsonDocument.Parse("""[{"policy":201,"host_addresses":["127.0.0.0/8"]},{"policy":8,"host_addresses":["10.9.9.9"]}]""").RootElement.EnumerateArray();
        policy.Use(VectorPolicy.State(JsonDocument.Parse(resources).RootElement, hosts, 0));
    }

    private string Pod(uint remote, string more = "") =>
        $$"""[{"endpoint_ips":["127.0.0.1"],"endpoint_id":7,"egress_per_port_policies":[{"port":{{Port(origin)}},"rules":[{"remote_policies":[{{remote}}]{{more}}}]}]}]""";

    private async Task<Socket> PassAsync()
    {
        var server = await origin.AcceptAsync(Deadline());
        var seen = new byte[1];
        await client.SendAsync("!"u8.ToArray(), SocketFlags.None, Deadline());
        Assert.Equal(1, await server.ReceiveAsync(seen, SocketFlags.None, Deadline()));
        await server.SendAsync("?"u8.ToArray(), SocketFlags.None, Deadline());
        Assert.Equal(1, await client.ReceiveAsync(seen, SocketFlags.None, Deadline()));
        return server;
    }

    private async Task CutAsync()
    {
        var error = await Record.ExceptionAsync(async () => Assert.Equal(0, await client.ReceiveAsync(new byte[1], SocketFlags.None, Deadline())));
        Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(error).SocketErrorCode);
    }

    private static Socket Listening()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        return socket;
    }

    private static int Port(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    private static CancellationToken Deadline() => new CancellationTokenSource(Patience).Token;
}
