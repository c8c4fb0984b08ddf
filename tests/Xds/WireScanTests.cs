using System;
using System.IO;
using System.Linq;
using Cilium;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Listener.V3;
using Google.Protobuf;
using Postern.Policy.Config;
using Postern.Xds;
using Postern.Xds.Discovery;
using Postern.Xds.Fields;
using Postern.Xds.Resources;
using static Postern.Tests.Xds.WireResources;

namespace Postern.Tests.Xds;

public class WireScanTests
{
    private const string Later = "; the control plane speaks a version that this proxy does not know";

    // A policy with one ingress rule of these bytes.
    private static byte[] PolicyOf(params byte[] rule)
    {
        var port = new Cilium.PortNetworkPolicy { Port = 80, Rules = { PortNetworkPolicyRule.Parser.ParseFrom(rule) } };
        return new NetworkPolicy { EndpointId = 1, IngressPerPortPolicies = { port } }.ToByteArray();
    }

    private static PortRuleConfig Rule(params byte[] rule) =>
        ((NetworkPolicyConfig)Decode(ResourceType.NetworkPolicy, PolicyOf(rule)).Config).Ingress[0].Rules[0];

    private static string RefusedRule(params byte[] rule) =>
        Assert.Throws<XdsConfigException>(() => Decode(ResourceType.NetworkPolicy, PolicyOf(rule))).Message;

    // A message with a field behind it: number, wire type varint, value 1.
    private static byte[] With(IMessage message, int number)
    {
        using var stream = new MemoryStream();
        message.WriteTo(stream);
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            output.WriteTag(number, WireFormat.WireType.Varint);
            output.WriteUInt32(1);
        }
        return stream.ToArray();
    }

    [Fact]
    public void KnownFields_PassWithoutWarning()
    {
        Assert.Empty(Decode(ResourceType.NetworkPolicy, PodPolicy()).Warnings);
        Assert.Equal([1u, 2u], Rule(0x38, 1, 0x38, 2).RemotePolicies); // remote_policies as single varints
    }

    [Fact]
    public void UnknownFieldOfARule_IsNamedByMessageNumberAndPath()
    {
        Assert.Equal("ingress_per_port_policies[0].rules[0]: unknown field number 11 (wire type Varint) of cilium.PortNetworkPolicyRule" + Later, RefusedRule(0x58, 1));
        Assert.Equal(
            "unknown field number 9 (wire type Varint) of cilium.NetworkPolicyHosts" + Later,
            Assert.Throws<XdsConfigException>(() => Decode(ResourceType.NetworkPolicyHosts, With(new NetworkPolicyHosts { Policy = 1 }, 9))).Message);
    }

    [Fact]
    public void UnknownFieldInAMatcherOfARule_RefusesToo()
    {
        var policy = PodPolicy();
        var matcher = policy.IngressPerPortPolicies[0].Rules[0].HttpRules.HttpRules[0].Headers;
        matcher[0] = Envoy.Config.Route.V3.HeaderMatcher.Parser.ParseFrom(With(matcher[0], 99));
        Assert.StartsWith(
            "ingress_per_port_policies[0].rules[0].http_rules.http_rules[0].headers[0]: unknown field number 99 (wire type Varint) of envoy.config.route.v3.HeaderMatcher",
            Refused(ResourceType.NetworkPolicy, policy), StringComparison.Ordinal);
    }

    [Fact]
    public void UnknownFieldOfASecurityMessage_IsAWarningWithTheFlag()
    {
        var decoded = Decode(ResourceType.NetworkPolicy, PolicyOf(0x58, 1), "", new() { WarnOnUnknownSecurityFields = true });
        Assert.Equal(["ingress_per_port_policies[0].rules[0]: unknown field number 11 (wire type Varint) of cilium.PortNetworkPolicyRule is read over" + Later], decoded.Warnings);
    }

    [Fact]
    public void KnownFieldOfAnotherWireType_Refuses() => Assert.Equal(
        // deny = 8, length-delimited
        "ingress_per_port_policies[0].rules[0]: field number 8 of cilium.PortNetworkPolicyRule has the wrong wire type LengthDelimited" + Later,
        RefusedRule(0x42, 1, 1));

    [Fact]
    public void OldListOfIdentities_IsTheRemotePolicies()
    {
        Assert.Equal([1u, 200u, 3u], Rule(0x0A, 3, 1, 0xC8, 1, 0x0A, 1, 3).RemotePolicies);
        Assert.Equal([2u, 1u], Rule(0x0A, 2, 1, 2, 0x38, 2, 0x38, 1).RemotePolicies); // both, in any order
        Assert.Equal((0u, 0), (Rule(0x0A, 0).PassPrecedence, Rule(0x0A, 0).RemotePolicies.Count));
    }

    [Fact]
    public void OldListThatContradicts_IsRefused()
    {
        Assert.Equal("ingress_per_port_policies[0].rules[0].remote_policies: differs from deprecated_remote_policies_64 (1) of the same rule; send one of them", RefusedRule(0x0A, 1, 1, 0x38, 2));
        Assert.Contains("stands beside deprecated_remote_policies_64", RefusedRule(0x0A, 1, 1, 0x08, 5), StringComparison.Ordinal);
        Assert.Contains("4294967296 in deprecated_remote_policies_64 (1) is no identity", RefusedRule(0x0A, 5, 0x80, 0x80, 0x80, 0x80, 0x10), StringComparison.Ordinal);
    }

    [Fact]
    public void VarintInItsPlace_IsPassPrecedence() => Assert.Equal((5u, 0), (Rule(0x08, 5).PassPrecedence, Rule(0x08, 5).RemotePolicies.Count));

    [Fact]
    public void OldListOfARuleBehindOthers_GoesToThatRule()
    {
        var bytes = new byte[] { 0x0A, 1, 7 };
        var policy = new NetworkPolicy
        {
            EgressPerPortPolicies =
            {
                new Cilium.PortNetworkPolicy { Rules = { new PortNetworkPolicyRule(), new PortNetworkPolicyRule() } },
                new Cilium.PortNetworkPolicy { Rules = { new PortNetworkPolicyRule(), PortNetworkPolicyRule.Parser.ParseFrom(bytes) } },
            },
        };
        var egress = ((NetworkPolicyConfig)Decode(ResourceType.NetworkPolicy, policy).Config).Egress;
        Assert.Equal([0, 0, 0, 1], egress.SelectMany(p => p.Rules).Select(r => r.RemotePolicies.Count));
    }

    [Fact]
    public void ValueThatStandsTwice_IsRefusedWhereItCouldHideAnother()
    {
        // pass_precedence: the packed list again, written one by one.
        var policy = new byte[] { 0x1A, 6, 0x1A, 4, 0x08, 1, 0x08, 2 };
        Assert.Equal(
            "ingress_per_port_policies[0].rules[0].pass_precedence: stands twice in the message, where one value is allowed",
            Assert.Throws<XdsConfigException>(() => Decode(ResourceType.NetworkPolicy, policy)).Message);
        // deny and pass_precedence are one oneof.
        policy = [0x1A, 6, 0x1A, 4, 0x08, 1, 0x40, 1];
        Assert.Contains("deny: another member of oneof verdict is set too", Assert.Throws<XdsConfigException>(() => Decode(ResourceType.NetworkPolicy, policy)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PublicFieldThatMatters_IsRefusedByName() => Assert.Equal(
        "filter_chain_matcher: filter_chain_matcher of envoy.config.listener.v3.Listener is not built in yet; remove it (docs/config.md lists what is honoured)",
        Assert.Throws<XdsConfigException>(() => Decode(ResourceType.Listener, With(HttpListener(), 32))).Message);

    [Fact]
    public void PublicFieldThatOnlyTunes_IsAWarning() => Assert.Equal(
        ["drain_type: field drain_type of envoy.config.listener.v3.Listener is read over"],
        Decode(ResourceType.Listener, With(HttpListener(), 8)).Warnings);

    [Fact]
    public void FieldOfALaterEnvoy_IsAWarningOrAnErrorWithTheFlag()
    {
        var bytes = With(HttpListener(), 4000);
        Assert.Equal(["unknown field number 4000 (wire type Varint) of envoy.config.listener.v3.Listener is read over" + Later], Decode(ResourceType.Listener, bytes).Warnings);
        Assert.Throws<XdsConfigException>(() => Decode(ResourceType.Listener, bytes, "", new() { RejectUnknownDynamicFields = true }));
    }

    [Fact]
    public void UnknownFieldInsideAFiltersConfig_IsFound()
    {
        var listener = HttpListener();
        var any = listener.ListenerFilters[1].TypedConfig;
        any.Value = ByteString.CopyFrom(With(any.Unpack<BpfMetadata>(), 17));
        Assert.StartsWith(
            "listener_filters[1].typed_config: unknown field number 17 (wire type Varint) of cilium.BpfMetadata", Refused(ResourceType.Listener, listener), StringComparison.Ordinal);
        any = listener.FilterChains[0].Filters[1].TypedConfig;
        listener = HttpListener();
        listener.FilterChains[0].Filters[1].TypedConfig.Value = ByteString.CopyFrom(With(Manager(listener), 16));
        Assert.StartsWith(
            "filter_chains[0].filters[1].typed_config.forward_client_cert_details: forward_client_cert_details of ", Refused(ResourceType.Listener, listener), StringComparison.Ordinal);
    }

    [Fact]
    public void UnknownExtension_IsNamedWithItsPlace()
    {
        var listener = HttpListener();
        listener.FilterChains[0].Filters[0].TypedConfig.TypeUrl = "type.googleapis.com/envoy.extensions.filters.network.mysql_proxy.v3.MySQLProxy";
        Assert.StartsWith(
            "filter_chains[0].filters[0].typed_config.@type: unknown type 'envoy.extensions.filters.network.mysql_proxy.v3.MySQLProxy'",
            Refused(ResourceType.Listener, listener), StringComparison.Ordinal);
        var cluster = new Cluster { Name = "c", TransportSocket = new() { Name = "x", TypedConfig = new() { TypeUrl = "x/y.Z" } } };
        Assert.StartsWith("transport_socket.typed_config.@type: unknown type 'y.Z'", Refused(ResourceType.Cluster, cluster), StringComparison.Ordinal);
    }

    [Fact]
    public void TextThatIsNotUtf8_IsRefused() => Assert.Equal(
        "ingress_per_port_policies[0].rules[0].name: is not UTF-8",
        Assert.Throws<XdsConfigException>(() => Decode(ResourceType.NetworkPolicy, [0x1A, 5, 0x1A, 3, 0x2A, 1, 0xFF])).Message);

    [Fact]
    public void Nesting_IsBounded()
    {
        var value = new Envoy.Type.Matcher.V3.ValueMatcher { BoolMatch = true };
        for (var i = 0; i < 40; i++)
        {
            value = new() { ListMatch = new() { OneOf = value } };
        }
        var rule = new L7NetworkPolicyRule { MetadataRule = { new Envoy.Type.Matcher.V3.MetadataMatcher { Filter = "f", Path = { new Envoy.Type.Matcher.V3.MetadataMatcher.Types.PathSegment { Key = "k" } }, Value = value } } };
        var policy = new NetworkPolicy { IngressPerPortPolicies = { new Cilium.PortNetworkPolicy { Rules = { new PortNetworkPolicyRule { L7Rules = new() { L7AllowRules = { rule } } } } } } };
        Assert.Contains("nested deeper than 64 levels", Refused(ResourceType.NetworkPolicy, policy), StringComparison.Ordinal);
    }

    [Fact]
    public void Warnings_AreBounded()
    {
        var listener = new Listener();
        using var stream = new MemoryStream(HttpListener().ToByteArray());
        var bytes = stream.ToArray().ToList();
        for (var i = 0; i < 100; i++)
        {
            bytes.AddRange(With(listener, 4000 + i));
        }
        var warnings = Decode(ResourceType.Listener, bytes.ToArray()).Warnings;
        Assert.Equal((21, "more fields are read over"), (warnings.Count, warnings[^1]));
    }

    [Fact]
    public void TableOfPublicFields_NamesTheOnesThatGuard()
    {
        foreach (var (message, name) in new[]
        {
            ("envoy.config.route.v3.Route", "typed_per_filter_config"), ("envoy.config.route.v3.VirtualHost", "typed_per_filter_config"),
            ("envoy.config.route.v3.VirtualHost", "require_tls"), ("envoy.config.route.v3.RouteMatch", "query_parameters"),
            ("envoy.config.listener.v3.ListenerFilter", "filter_disabled"), ("envoy.config.listener.v3.Listener", "bind_to_port"),
            ("envoy.config.listener.v3.FilterChainMatch", "direct_source_prefix_ranges"), ("envoy.config.cluster.v3.Cluster", "upstream_bind_config"),
            ("envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter", "disabled"), ("envoy.config.route.v3.RouteConfiguration", "internal_only_headers"),
            ("envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext", "custom_validator_config"), ("envoy.extensions.upstreams.http.v3.HttpProtocolOptions", "http_filters"),
        })
        {
            Assert.Equal(FieldUse.Refused, PublicFields.Find(message, name)?.Use);
        }
    }
}
