using System;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;
using Postern.Filters;
using Postern.Filters.Listener;
using Postern.Policy;
using Postern.Tests.Proxy.InMemory;
using Postern.Tests.Proxy.Vectors;

namespace Postern.Tests.Proxy.Http;

/// <summary>
/// Requests to a load balancer's listener. The service is 10.100.0.1:80; its endpoints 10.1.0.1:8080 (identity 201) and 10.1.0.2:8080 (202); the client 10.0.0.1 (100) is
/// an endpoint of this node or not; the Ingress IP is 10.9.9.9 (8).
/// </summary>
public sealed class L7LbTests(HttpEngineFixture fixture) : IClassFixture<HttpEngineFixture>
{
    private const string Hosts = """
        [{"policy":100,"host_addresses":["10.0.0.1"]},{"policy":201,"host_addresses":["10.1.0.1"]},{"policy":202,"host_addresses":["10.1.0.2"]},{"policy":8,"host_addresses":["10.9.9.9"]}]
        """;

    private static readonly EndPoint First = IPEndPoint.Parse("10.1.0.1:8080");
    private static readonly EndPoint Second = IPEndPoint.Parse("10.1.0.2:8080");

    private readonly TestPolicy policy = new();

    [Fact]
    public async Task EastWest_TheEndpointIsJudgedAndRecorded()
    {
        Use(Pod(egress: """{"port":8080,"rules":[{"remote_policies":[201],"http_rules":{"http_rules":[{"headers":[{"name":":path","exact_match":"/a"}],"header_matches":[{"name":"x-by","value":"rule","mismatch_action":"ADD_ON_MISMATCH"}]}]}}]}"""));
        using var talk = Talk(EastWest(), First);
        Assert.Contains("x-by: rule", await AllowedAsync(talk, "/a"), StringComparison.Ordinal);
        var record = talk.Records.Seen[0];
        Assert.Equal(("Request", "10.0.0.1", "10.1.0.1:8080", "201", "100", "x-by:rule"),
            (record.Type.ToString(), record.Fields["policy"], record.Fields["destination"], record.Fields["destination-identity"], record.Fields["source"], record.Fields["missing"]));
        Assert.Equal("10.1.0.1:8080", talk.Records.Seen[1].Fields["destination"]);

        Assert.EndsWith("Go away\r\n", await RefusedAsync(talk, "/b", 403), StringComparison.Ordinal); // HTTP rules: denied_403_body
        Assert.Equal(["Request", "Response", "Denied", "Response"], talk.Records.Seen.Select(r => r.Type.ToString()));
    }

    [Fact]
    public async Task EastWestEndpointOfAnotherIdentity_IsRefusedAtNetworkLevelAndGetsNothing()
    {
        Use(Pod(egress: """{"port":8080,"rules":[{"remote_policies":[201]}]}"""));
        using var talk = Talk(EastWest(), Second);
        Assert.EndsWith("Access denied\r\n", await RefusedAsync(talk, "/a", 403), StringComparison.Ordinal);
        Assert.Equal(("no_rule_for_identity", "10.1.0.2:8080", "202"), (talk.Records.Seen[0].Fields["reason"], talk.Records.Seen[0].Fields["destination"], talk.Records.Seen[0].Fields["destination-identity"]));
        Assert.Equal("", talk.Upstream.Text);
    }

    [Fact]
    public async Task EastWestClientIsNoEndpoint_Is500WithAReasonUntilItIsOne()
    {
        Use("[]");
        using var talk = Talk(EastWest(), First);
        await RefusedAsync(talk, "/a", 500);
        Assert.Contains("10.0.0.1 is no endpoint of this node", talk.Records.Seen[1].Fields["detail"], StringComparison.Ordinal);
        Assert.Equal(0, talk.Host.Connects);
        Use(Pod(egress: """{"port":8080}"""));
        await talk.ReviewAsync();
        await AllowedAsync(talk, "/a");
    }

    [Fact]
    public async Task NorthSouth_BothSidesOfTheIngressPolicyAreJudgedAtBothLevels()
    {
        const string Path = "\"http_rules\":{\"http_rules\":[{\"headers\":[{\"name\":\":path\",\"exact_match\":\"/a\"}]}]}";
        // The ingress side has no HTTP rules: upstream then forgets those of the egress side.
        Use(Ingress("""{"port":80,"rules":[{"remote_policies":[100]}]}""", $$"""{"port":8080,"rules":[{"remote_policies":[201],{{Path}}}]}"""));
        using var talk = Talk(NorthSouth(), First);
        await AllowedAsync(talk, "/a");
        Assert.EndsWith("Go away\r\n", await RefusedAsync(talk, "/b", 403), StringComparison.Ordinal);
        Assert.All(talk.Records.Seen, record => Assert.Equal(("10.9.9.9", "8", "Egress"), (record.Fields["policy"], record.Fields["source"], record.Fields["direction"])));

        Use(Ingress("""{"port":80,"rules":[{"remote_policies":[101]}]}""", """{"port":8080}"""));
        using var other = Talk(NorthSouth(), First);
        Assert.EndsWith("Access denied\r\n", await RefusedAsync(other, "/a", 403), StringComparison.Ordinal);
        Assert.Contains("identity 100", other.Records.Seen[0].Fields["detail"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"port":8080,"rules":[{"remote_policies":[201]}]}""", 200)]
    [InlineData("""{"port":8080,"rules":[{"remote_policies":[202]}]}""", 403)]
    public async Task NorthSouthOfAnEndpointOfThisNode_ItsOwnPolicyCountsToo(string egress, int status)
    {
        Use(Ingress("""{"port":80}""", """{"port":8080}""", Pod(egress)[1..^1]));
        using var talk = Talk(NorthSouth(), First);
        if (status == 200)
        {
            await AllowedAsync(talk, "/a");
            Assert.Equal("10.9.9.9", talk.Records.Seen[0].Fields["policy"]);
        }
        else
        {
            await RefusedAsync(talk, "/a", status);
            Assert.Equal("10.0.0.1", talk.Records.Seen[0].Fields["policy"]);
        }
    }

    [Fact]
    public async Task NobodysPolicyApplies_IsRefusedAndNotLeftHanging()
    {
        Use("[]");
        using var talk = Talk(NorthSouth(enforces: false), First);
        await RefusedAsync(talk, "/a", 403);
        Assert.Contains("set enforce_policy_on_l7lb", talk.Records.Seen[0].Fields["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task EndpointIsAUnixSocket_IsRefused()
    {
        Use(Pod(egress: """{"port":0}"""));
        using var talk = Talk(EastWest(), new UnixDomainSocketEndPoint("/nowhere.sock"));
        await RefusedAsync(talk, "/a", 403);
        Assert.Contains("has no address", talk.Records.Seen[0].Fields["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task SecondAttemptAtAnotherEndpoint_IsJudgedAgain()
    {
        Use(Pod(egress: """{"port":8080,"rules":[{"remote_policies":[201]}]}"""));
        using var talk = Talk(EastWest(), First, Second);
        await AllowedAsync(talk, "/a");
        // The kept connection dies unseen under the next request, and the silent second try goes to the other endpoint.
        talk.ClientSends("GET /b HTTP/1.1\r\nHost: a\r\n\r\n"u8);
        await talk.Until(() => talk.Upstream.Text.Contains("/b", StringComparison.Ordinal), "the request at the first endpoint");
        await talk.UpstreamCloses();
        await talk.Until(() => talk.Client.Text.Contains("Access denied", StringComparison.Ordinal), "the refusal");
        Assert.Equal(["Request", "Response", "Request", "Denied", "Response"], talk.Records.Seen.Select(r => r.Type.ToString()));
        Assert.Equal("10.1.0.2:8080", talk.Records.Seen[3].Fields["destination"]);
    }

    [Fact]
    public async Task PolicyForbidsTheEndpointInUse_OpenConnectionIsCut()
    {
        Use(Pod(egress: """{"port":8080,"rules":[{"remote_policies":[201]}]}"""));
        using var talk = Talk(EastWest(), First);
        talk.ClientSends("GET /a HTTP/1.1\r\nHost: a\r\n\r\n"u8);
        await talk.Until(() => talk.Upstream.Text.Contains("/a", StringComparison.Ordinal), "the request");
        Use(Pod(egress: """{"port":8080,"rules":[{"remote_policies":[202]}]}"""));
        await talk.ReviewAsync();
        await talk.Until(() => talk.Client.Reset, "the client's connection to be cut");
        Assert.Equal(("policy_changed", "10.1.0.1:8080"), (talk.Records.Seen[1].Fields["reason"], talk.Records.Seen[1].Fields["destination"]));
    }

    [Fact]
    public async Task PolicyForbidsTheClient_IdleConnectionIsCutAndOneThatWasNeverAllowedStays()
    {
        Use(Ingress("""{"port":80,"rules":[{"remote_policies":[100]}]}""", """{"port":8080}"""));
        using var talk = Talk(NorthSouth(), First);
        await AllowedAsync(talk, "/a");
        Use(Ingress("""{"port":80,"rules":[{"remote_policies":[101]}]}""", """{"port":8080}"""));
        using var refused = Talk(NorthSouth(), First);
        await RefusedAsync(refused, "/a", 403);
        await talk.ReviewAsync();
        await talk.Until(() => talk.Client.Reset, "the client's connection to be cut");
        Use(Ingress("""{"port":80,"rules":[{"remote_policies":[102]}]}""", """{"port":8080}"""));
        await refused.ReviewAsync();
        await RefusedAsync(refused, "/a", 403);
    }

    private void Use(string resources)
    {
        var state = VectorPolicy.State(JsonDocument.Parse(resources).RootElement, JsonDocument.Parse(Hosts).RootElement.EnumerateArray(), 0);
        policy.Use(state with { Version = Guid.NewGuid().ToString() });
    }

    private static string Pod(string egress) => $$"""[{"endpoint_ips":["10.0.0.1"],"endpoint_id":7,"egress_per_port_policies":[{{egress}}]}]""";

    private static string Ingress(string ingress, string egress, string more = "") =>
        $$"""[{"endpoint_ips":["10.9.9.9"],"endpoint_id":9,"ingress_per_port_policies":[{{ingress}}],"egress_per_port_policies":[{{egress}}]}{{(more.Length > 0 ? "," + more : "")}}]""";

    private BpfMetadata EastWest() => new()
    {
        Direction = TrafficDirection.Egress, ProxyId = 0, UseOriginalSourceAddress = true, IsL7Lb = true, MarkUpstream = false, Policy = policy,
    };

    private BpfMetadata NorthSouth(bool enforces = true) => new()
    {
        Direction = TrafficDirection.Egress, ProxyId = 0, UseOriginalSourceAddress = false, IsL7Lb = true, MarkUpstream = false,
        Ipv4SourceAddress = IPAddress.Parse("10.9.9.9"), EnforcePolicyOnL7Lb = enforces, Policy = policy,
    };

    private Conversation Talk(BpfMetadata filter, params EndPoint[] endpoints) => new(fixture, new HttpTestOptions
    {
        Given = policy,
        DeniedBody = "Go away",
        Endpoints = endpoints,
        Metadata = _ => filter.Resolve(IPEndPoint.Parse("10.0.0.1:4000"), IPEndPoint.Parse("10.100.0.1:80"), ""),
    });

    // What the upstream received.
    private static async Task<string> AllowedAsync(Conversation talk, string path)
    {
        talk.ClientSends(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        await talk.Until(() => talk.Upstream.Text.EndsWith("\r\n\r\n", StringComparison.Ordinal), "the request to reach the endpoint");
        var text = talk.Upstream.Text;
        talk.Upstream.Take(talk.Upstream.Count);
        await talk.UpstreamSends("HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 2\r\n\r\nok"u8.ToArray());
        await talk.Until(() => talk.Client.Text.EndsWith("\r\n\r\nok", StringComparison.Ordinal), "the answer");
        talk.Client.Take(talk.Client.Count);
        return text;
    }

    // What the client received.
    private static async Task<string> RefusedAsync(Conversation talk, string path, int status)
    {
        var before = talk.Records.Seen.Count;
        talk.ClientSends(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        await talk.Until(() => talk.Client.Text.StartsWith($"HTTP/1.1 {status} ", StringComparison.Ordinal) && talk.Records.Seen.Count >= before + 2 && talk.IsGateWaiting, $"a {status}");
        var text = talk.Client.Text;
        talk.Client.Take(talk.Client.Count);
        return text;
    }
}
