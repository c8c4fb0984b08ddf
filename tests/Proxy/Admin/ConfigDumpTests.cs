using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Text.Json;
using System.Threading.Tasks;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Postern.Proxy.Admin;
using Postern.Xds.Config;
using Postern.Xds.Discovery;
using Listener = Envoy.Config.Listener.V3.Listener;

namespace Postern.Tests.Proxy.Admin;

public class ConfigDumpTests
{
    private const string Key = "-----BEGIN PRIVATE KEY-----SENTINEL";

    [Fact]
    public async Task Sections_AreEnvoysAndCiliums()
    {
        await using var host = await AdminHost.StartAsync();
        var types = (await host.GetJsonAsync("/config_dump")).GetProperty("configs").EnumerateArray().Select(c => c.GetProperty("@type").GetString()!["type.googleapis.com/".Length..]);
        Assert.Equal(
            ["envoy.admin.v3.BootstrapConfigDump", "envoy.admin.v3.ClustersConfigDump", "envoy.admin.v3.ListenersConfigDump", "envoy.admin.v3.RoutesConfigDump", "envoy.admin.v3.SecretsConfigDump", "cilium.NetworkPoliciesConfigDump"],
            types);
        Assert.Contains("envoy.admin.v3.EndpointsConfigDump", await host.GetAsync("/config_dump?include_eds"));
    }

    [Fact]
    public async Task Listener_ShowsWhatIsInForceAndWhatWasRefused()
    {
        await using var host = await AdminHost.StartAsync();
        host.Target.Resources = [Resource(ResourceType.Listener, "web", new Listener { Name = "web" }) with { Error = "address is taken" }];
        host.Target.Subscriptions =
        [
            new SubscriptionStatus
            {
                Type = ResourceType.Listener,
                Source = "grpc x",
                State = "live",
                Version = "7",
                LastNack = FakeTarget.Epoch.AddSeconds(5),
                LastNackVersion = "8",
                RejectedByResource = new Dictionary<string, long> { ["web"] = 1 },
            },
        ];
        var section = await SectionAsync(host, "ListenersConfigDump");
        Assert.Equal("7", section.GetProperty("version_info").GetString());
        var listener = section.GetProperty("dynamic_listeners")[0];
        Assert.Equal("web", listener.GetProperty("name").GetString());
        var active = listener.GetProperty("active_state");
        Assert.Equal("3", active.GetProperty("version_info").GetString());
        Assert.Equal("2026-03-01T12:00:00.000Z", active.GetProperty("last_updated").GetString());
        Assert.Equal("type.googleapis.com/envoy.config.listener.v3.Listener", active.GetProperty("listener").GetProperty("@type").GetString());
        var error = listener.GetProperty("error_state");
        Assert.Equal("address is taken", error.GetProperty("details").GetString());
        Assert.Equal("8", error.GetProperty("version_info").GetString());
        Assert.Equal("2026-03-01T12:00:05.000Z", error.GetProperty("last_update_attempt").GetString());
        Assert.Equal("NACKED", listener.GetProperty("client_status").GetString());
    }

    [Theory]
    [InlineData((int)ResourceState.Active, "dynamic_active_clusters", "ACKED")]
    [InlineData((int)ResourceState.Warming, "dynamic_warming_clusters", "ACKED")]
    [InlineData((int)ResourceState.Received, "dynamic_warming_clusters", "REQUESTED")]
    [InlineData((int)ResourceState.Rejected, "dynamic_warming_clusters", "NACKED")]
    public async Task Cluster_StandsInTheListOfItsState(int state, string list, string status)
    {
        await using var host = await AdminHost.StartAsync();
        host.Target.Resources = [Resource(ResourceType.Cluster, "echo", new Envoy.Config.Cluster.V3.Cluster { Name = "echo" }) with { State = (ResourceState)state }];
        var cluster = Assert.Single((await SectionAsync(host, "ClustersConfigDump")).GetProperty(list).EnumerateArray());
        Assert.Equal("echo", cluster.GetProperty("cluster").GetProperty("name").GetString());
        Assert.Equal(status, cluster.GetProperty("client_status").GetString());
    }

    [Fact]
    public async Task NetworkPolicies_AreFilteredByEndpointAddress()
    {
        await using var host = await AdminHost.StartAsync();
        host.Target.Resources = [Policy(1, "10.0.0.1", "fd00::1"), Policy(2, "10.0.0.2"), Policy(3, "10.1.0.1")];
        async Task<IEnumerable<string?>> Found(string regex) =>
            (await SectionAsync(host, "NetworkPoliciesConfigDump", "?name_regex=" + Uri.EscapeDataString(regex))).GetProperty("networkpolicies").EnumerateArray().Select(p => p.GetProperty("endpoint_id").GetString());
        Assert.Equal(["1", "2", "3"], await Found(".*"));
        Assert.Equal(["1", "2"], await Found(@"10\.0\..*"));
        Assert.Equal(["1"], await Found("fd00::1"));
        Assert.Empty(await Found("10"));
    }

    [Theory]
    [InlineData("name_regex=(")]
    [InlineData("name_regex=a(%3F=b)")]
    [InlineData("name_regex=(a%2B){1000}{1000}")]
    [InlineData("resource=dynamic_things")]
    [InlineData("mask=a,,b")]
    public async Task ParameterThatMeansNothing_Is400(string query)
    {
        await using var host = await AdminHost.StartAsync();
        var (status, text) = await host.AskAsync("GET", "/config_dump?" + query);
        Assert.Equal(400, status);
        Assert.StartsWith(query[..query.IndexOf('=', StringComparison.Ordinal)], text);
    }

    [Fact]
    public async Task Resource_GivesItsItemsBare()
    {
        await using var host = await AdminHost.StartAsync();
        host.Target.Resources = [Resource(ResourceType.Listener, "a", new Listener { Name = "a" }), Resource(ResourceType.Listener, "b", new Listener { Name = "b" })];
        var configs = (await host.GetJsonAsync("/config_dump?resource=dynamic_listeners&name_regex=b")).GetProperty("configs");
        var only = Assert.Single(configs.EnumerateArray());
        Assert.Equal("type.googleapis.com/envoy.admin.v3.ListenersConfigDump.DynamicListener", only.GetProperty("@type").GetString());
        Assert.Equal("b", only.GetProperty("name").GetString());
    }

    [Fact]
    public async Task Mask_KeepsThePathsItNames()
    {
        await using var host = await AdminHost.StartAsync();
        host.Target.Resources = [Resource(ResourceType.Listener, "a", new Listener { Name = "a" })];
        var item = (await host.GetJsonAsync("/config_dump?resource=dynamic_listeners&mask=name,active_state.version_info")).GetProperty("configs")[0];
        Assert.Equal("""{"@type":"type.googleapis.com/envoy.admin.v3.ListenersConfigDump.DynamicListener","name":"a","active_state":{"version_info":"3"}}""", Compact(item));
        var section = await SectionAsync(host, "ListenersConfigDump", "?mask=dynamic_listeners.name");
        Assert.Equal("""[{"name":"a"}]""", Compact(section.GetProperty("dynamic_listeners")));
        Assert.False(section.TryGetProperty("static_listeners", out _));
    }

    [Fact]
    public async Task AnyOfAnUnknownType_IsNamedAndNotShown()
    {
        await using var host = await AdminHost.StartAsync();
        var strange = new Any { TypeUrl = "type.googleapis.com/some.Strange", Value = ByteString.CopyFromUtf8(Key) };
        var broken = new Any { TypeUrl = ResourceType.Listener.TypeUrl, Value = ByteString.CopyFrom(0x0a, 0xff) };
        host.Target.Resources =
        [
            new ResourceStatus(ResourceType.Cluster, "odd", ResourceState.Active, "1", FakeTarget.Epoch, [], "", strange),
            new ResourceStatus(ResourceType.Listener, "broken", ResourceState.Active, "1", FakeTarget.Epoch, [], "", broken),
        ];
        var text = await host.GetAsync("/config_dump");
        Assert.Contains("some.Strange", text);
        Assert.Contains($"{Key.Length} bytes of a message", text);
        AssertNoKey(text);
    }

    [Fact]
    public async Task AnyWithinAnyWithoutEnd_IsCutShort()
    {
        await using var host = await AdminHost.StartAsync();
        var any = Any.Pack(new Listener { Name = "core" });
        for (var i = 0; i < 500; i++)
        {
            any = Any.Pack(any);
        }
        host.Target.Resources = [new ResourceStatus(ResourceType.Listener, "deep", ResourceState.Active, "1", FakeTarget.Epoch, [], "", any)];
        Assert.Contains("postern_not_shown", await host.GetAsync("/config_dump"));
    }

    [Fact]
    public async Task PrivateKeyInAPolicy_IsMasked()
    {
        await using var host = await AdminHost.StartAsync();
        var policy = new Cilium.NetworkPolicy { EndpointIps = { "10.0.0.1" } };
        var tls = new Cilium.TLSContext { PrivateKey = Key, CertificateChain = "the chain", TrustedCa = "the ca" };
        policy.IngressPerPortPolicies.Add(new Cilium.PortNetworkPolicy { Port = 443, Rules = { new Cilium.PortNetworkPolicyRule { DownstreamTlsContext = tls } } });
        host.Target.Resources = [new ResourceStatus(ResourceType.NetworkPolicy, "1", ResourceState.Active, "1", FakeTarget.Epoch, [], "", Any.Pack(policy))];
        foreach (var query in new[] { "", "?resource=networkpolicies", "?mask=networkpolicies.ingress_per_port_policies" })
        {
            var text = await host.GetAsync("/config_dump" + query);
            AssertNoKey(text);
            Assert.Contains("\"private_key\": \"[redacted]\"", text.Replace("\":\"", "\": \"", StringComparison.Ordinal));
            Assert.Contains("the chain", text);
        }
    }

    [Fact]
    public async Task KeysInATlsContext_AreMasked()
    {
        await using var host = await AdminHost.StartAsync();
        Envoy.Config.Core.V3.DataSource Hidden() => new() { InlineString = Key };
        var context = new Envoy.Extensions.TransportSockets.Tls.V3.DownstreamTlsContext
        {
            CommonTlsContext = new()
            {
                TlsCertificates = { new Envoy.Extensions.TransportSockets.Tls.V3.TlsCertificate { CertificateChain = new() { InlineString = "the chain" }, PrivateKey = Hidden(), Password = Hidden() } },
            },
            SessionTicketKeys = new() { Keys = { new Envoy.Config.Core.V3.DataSource { InlineBytes = ByteString.CopyFromUtf8(Key) } } },
        };
        var listener = new Listener { Name = "a", FilterChains = { new Envoy.Config.Listener.V3.FilterChain { TransportSocket = new() { Name = "envoy.transport_sockets.tls", TypedConfig = Any.Pack(context) } } } };
        foreach (var state in System.Enum.GetValues<ResourceState>())
        {
            host.Target.Resources = [Resource(ResourceType.Listener, "a", listener) with { State = state }];
            AssertNoKey(await host.GetAsync("/config_dump"));
        }
        host.Target.Resources = [Resource(ResourceType.Listener, "a", listener)];
        var text = await host.GetAsync("/config_dump");
        Assert.Contains("the chain", text);
        Assert.Contains("[redacted]", text);
    }

    [Fact]
    public async Task Secret_IsNeverShown()
    {
        await using var host = await AdminHost.StartAsync();
        host.Target.Bootstrap = host.Target.Bootstrap with
        {
            StaticSecrets = [new GenericSecretConfig("static-one", ByteString.CopyFromUtf8(Key)), new TlsCertificateConfig("static-two", ByteString.Empty, ByteString.CopyFromUtf8(Key))],
        };
        host.Target.Resources = [.. System.Enum.GetValues<ResourceState>().Select(state => TlsSecret.Resource("dynamic-" + state, "chain", Key) with { State = state })];
        foreach (var path in new[] { "/config_dump", "/config_dump?resource=static_secrets", "/config_dump?resource=dynamic_active_secrets", "/config_dump?resource=dynamic_warming_secrets", "/certs", "/xds", "/xds?format=json" })
        {
            AssertNoKey(await host.GetAsync(path));
        }
        var section = await SectionAsync(host, "SecretsConfigDump");
        Assert.Equal(["static-one", "static-two"], section.GetProperty("static_secrets").EnumerateArray().Select(s => s.GetProperty("name").GetString()));
        Assert.Equal("dynamic-Active", Assert.Single(section.GetProperty("dynamic_active_secrets").EnumerateArray()).GetProperty("name").GetString());
        Assert.Equal(3, section.GetProperty("dynamic_warming_secrets").GetArrayLength());
    }

    [Theory]
    [InlineData("\",\"forged\":\"")]
    [InlineData("</script><script>")]
    [InlineData("line\nfeed\0nul")]
    [InlineData("\ud800 alone")]
    public async Task HostileName_StaysAString(string name)
    {
        await using var host = await AdminHost.StartAsync();
        host.Target.Resources = [new ResourceStatus(ResourceType.Listener, name, ResourceState.Rejected, name, FakeTarget.Epoch, [name], name, null)];
        var listener = Assert.Single((await SectionAsync(host, "ListenersConfigDump")).GetProperty("dynamic_listeners").EnumerateArray());
        Assert.Equal(name.Replace('\ud800', '\ufffd'), listener.GetProperty("name").GetString());
        Assert.False(listener.TryGetProperty("forged", out _));
        Assert.Single((await host.GetJsonAsync("/xds?format=json")).GetProperty("resources").EnumerateArray());
        Assert.Single((await host.GetAsync("/xds")).Split('\n'), line => line.StartsWith("LDS", StringComparison.Ordinal));
    }

    [Fact]
    public async Task StaticResources_AreNamed()
    {
        await using var host = await AdminHost.StartAsync();
        var cluster = new ClusterConfig("ingress-cluster", ClusterType.OriginalDst, TimeSpan.FromSeconds(2), []);
        host.Target.Bootstrap = host.Target.Bootstrap with
        {
            StaticListeners = [new ListenerConfig { Name = "health", Addresses = [new IPEndPoint(IPAddress.Loopback, 9878)] }],
            StaticClusters = [cluster],
            LdsSource = new GrpcSourceConfig("xds-grpc-cilium", DiscoveryVariant.StateOfTheWorld, null),
        };
        host.Target.Clusters = [new ClusterStatus(cluster, [new LbEndpointConfig(new IPEndPoint(IPAddress.Loopback, 1), 0, 1, true)], FromDiscovery: false)];
        var text = await host.GetAsync("/config_dump?include_eds");
        Assert.Contains("ORIGINAL_DST", text);
        Assert.Contains("9878", text);
        Assert.Contains("xds-grpc-cilium", text);
        Assert.Contains("static_endpoint_configs", text);
    }

    private static ResourceStatus Resource(ResourceType type, string name, IMessage source) =>
        new(type, name, ResourceState.Active, "3", FakeTarget.Epoch, [], "", Any.Pack(source));

    private static ResourceStatus Policy(ulong id, params string[] addresses) =>
        Resource(ResourceType.NetworkPolicy, $"{id}", new Cilium.NetworkPolicy { EndpointId = id, EndpointIps = { addresses } });

    private static async Task<JsonElement> SectionAsync(AdminHost host, string type, string query = "") =>
        (await host.GetJsonAsync("/config_dump" + query)).GetProperty("configs").EnumerateArray().Single(c => c.GetProperty("@type").GetString()!.EndsWith("." + type, StringComparison.Ordinal));

    private static string Compact(JsonElement element) => JsonSerializer.Serialize(element);

    private static void AssertNoKey(string text)
    {
        Assert.DoesNotContain("SENTINEL", text);
        Assert.DoesNotContain(Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(Key))[..20], text);
    }
}
