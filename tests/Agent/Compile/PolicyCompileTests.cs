using System;
using System.Linq;
using System.Net;
using Cilium;
using Postern.Agent.Compile;
using Postern.Agent.Identities;
using Postern.Policy;
using Postern.Xds;

namespace Postern.Tests.Agent.Compile;

public sealed class PolicyCompileTests
{
    private static CompiledNode Web(params string[] lists) => Texts.Compile([.. Texts.Pods, .. lists.Select((list, i) => Texts.ForWeb(list, "p" + i))]);

    private static string Show(CompiledNode node, TrafficDirection direction = TrafficDirection.Ingress)
    {
        var web = node.Of("web");
        var entries = direction == TrafficDirection.Ingress ? web.Policy.IngressPerPortPolicies : web.Policy.EgressPerPortPolicies;
        return string.Join(" ", entries.Select(entry =>
            $"{entry.Port}{(entry.EndPort > 0 ? "-" + entry.EndPort : "")}[{string.Join(";", entry.Rules.Select(rule => Show(node, rule)))}]"));
    }

    private static string Show(CompiledNode node, PortNetworkPolicyRule rule)
    {
        var who = rule.RemotePolicies.Select(identity => node.Endpoints.FirstOrDefault(endpoint => endpoint.Identity == identity)?.Name.Replace("default/", "", StringComparison.Ordinal)
            ?? node.Identities.First(one => one.Id == identity).Labels[0]);
        var inside = rule.L7Case != PortNetworkPolicyRule.L7OneofCase.None ? "+" + rule.L7Case : "";
        return (rule.Deny ? "!" : "") + (rule.RemotePolicies.Count == 0 ? "any" : string.Join(",", who.Order(StringComparer.Ordinal))) + inside;
    }

    [Theory]
    [InlineData("description: nothing said", "0[]")]
    [InlineData("ingress: []", "0[]")]
    [InlineData("ingress: [{}]", "")]
    [InlineData("ingress: [{fromEndpoints: []}]", "")]
    [InlineData("ingress: [{fromEndpoints: [], toPorts: [{ports: [{port: '80'}]}]}]", "")]
    [InlineData("ingress: [{fromEndpoints: [{}]}]", "0[client,other,web]")]
    [InlineData("ingress: [{fromEndpoints: [{matchLabels: {role: client}}]}]", "0[client]")]
    [InlineData("ingress: [{fromEndpoints: [{matchLabels: {'k8s:role': client}}, {matchLabels: {role: other}}]}]", "0[client,other]")]
    [InlineData("ingress: [{fromEndpoints: [{matchLabels: {role: client, io.kubernetes.pod.namespace: far}}]}]", "0[far/far]")]
    [InlineData("ingress: [{fromEndpoints: [{matchExpressions: [{key: 'k8s:io.kubernetes.pod.namespace', operator: Exists}, {key: role, operator: In, values: [client]}]}]}]", "0[client,far/far]")]
    [InlineData("ingress: [{fromEndpoints: [{matchExpressions: [{key: role, operator: NotIn, values: [client]}]}]}]", "0[other,web]")]
    [InlineData("ingress: [{fromEndpoints: [{matchExpressions: [{key: role, operator: DoesNotExist}]}]}]", "0[web]")]
    [InlineData("ingress: [{fromEndpoints: [{matchLabels: {role: nobody}}]}]", "")]
    [InlineData("ingress: [{fromEndpoints: [{matchLabels: {role: nobody}}], toPorts: [{ports: [{port: '80'}]}]}, {toPorts: [{ports: [{port: '81'}]}]}]", "81[]")]
    [InlineData("ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]", "80[]")]
    [InlineData("ingress: [{toPorts: [{ports: [{port: '80', protocol: UDP}]}]}]", "")]
    [InlineData("ingress: [{toPorts: [{ports: [{port: '80', endPort: 90}, {port: '443'}]}]}]", "80-90[] 443[]")]
    [InlineData("ingress: [{toPorts: [{ports: [{port: '0'}]}]}]", "0[]")]
    [InlineData("ingress: [{fromEntities: [all]}]", "0[]")]
    [InlineData("ingress: [{fromEntities: [none]}]", "")]
    [InlineData("ingress: [{fromEntities: [world]}]", "0[reserved:world]")]
    [InlineData("ingress: [{fromEntities: [host, kube-apiserver]}]", "0[reserved:host,reserved:kube-apiserver]")]
    [InlineData("ingress: [{fromEndpoints: [{matchLabels: {'reserved:host': ''}}]}]", "")]
    [InlineData("ingress: [{icmps: [{fields: [{type: 8}]}]}]", "")]
    [InlineData("ingress: [{fromEndpoints: [{matchLabels: {role: client}}], toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{path: /a}]}}]}]", "80[client+HttpRules]")]
    [InlineData("ingress: [{fromEndpoints: [{matchLabels: {role: client}}], toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: []}}]}]", "80[client]")]
    [InlineData("ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{path: /a}]}}]}, {toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]", "80[]")]
    [InlineData("ingress: [{toPorts: [{ports: [{port: '9092', protocol: TCP}], rules: {kafka: [{role: produce}]}}]}]", "9092[any+KafkaRules]")]
    [InlineData("ingress: [{}]\ningressDeny: [{fromEntities: [all]}]", "0[!any]")]
    [InlineData("ingress: [{fromEntities: [all]}]\ningressDeny: [{fromEndpoints: [{matchLabels: {role: other}}]}]", "0[!other;any]")]
    [InlineData("ingress: [{toPorts: [{ports: [{port: '80'}]}]}]\ningressDeny: [{toPorts: [{ports: [{port: '80'}]}]}]", "80[!any]")]
    [InlineData("ingressDeny: [{fromEndpoints: [{matchLabels: {role: other}}]}]\nenableDefaultDeny: {ingress: false}", "0[!other;any]")]
    [InlineData("ingress: [{fromEndpoints: [{matchLabels: {role: other}}]}]\nenableDefaultDeny: {ingress: false}", "0[]")]
    [InlineData("enableDefaultDeny: {ingress: true}", "")]
    [InlineData("ingress: [{fromEndpoints: [{matchLabels: {role: client}}], authentication: {mode: always-fail}}]", "")]
    public void Ingress_BecomesEntries(string rules, string wanted) => Assert.Equal(wanted, Show(Web(rules)));

    [Theory]
    [InlineData("egress: [{toFQDNs: [{matchName: a.b}]}]", "")]
    [InlineData("egress: [{toFQDNs: [{matchName: a.b}], toPorts: [{ports: [{port: '443'}]}]}]", "")]
    [InlineData("egress: [{toServices: [{k8sService: {serviceName: a}}]}]", "")]
    [InlineData("egress: [{toPorts: [{ports: [{port: '53', protocol: ANY}], rules: {dns: [{matchPattern: '*'}]}}]}]", "53[]")]
    [InlineData("egress: [{toPorts: [{ports: [{port: '53', protocol: ANY}], rules: {dns: [{matchName: a.b}]}}]}]", "53[any+L7Rules]")]
    [InlineData("egress: [{toCIDR: [10.0.0.0/8]}]", "0[cidr:10.0.0.0/8]")]
    [InlineData("egress: [{toCIDR: [10.1.2.3/8]}]", "0[cidr:10.0.0.0/8]")]
    [InlineData("egress: [{toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}]}]", "0[cidr:10.0.0.0/8]")]
    [InlineData("egress: [{toCIDR: [0.0.0.0/0]}]", "0[reserved:world]")]
    [InlineData("egress: [{toCIDR: ['::/0']}]", "")]
    [InlineData("egress: [{toEntities: [world]}, {toCIDR: [192.168.0.0/16], toPorts: [{ports: [{port: '80'}]}]}]", "0[cidr:192.168.0.0/16,reserved:world] 80[cidr:192.168.0.0/16]")]
    public void Egress_BecomesEntries(string rules, string wanted) => Assert.Equal(wanted, Show(Web(rules), TrafficDirection.Egress));

    [Fact]
    public void WildcardPort_HasOneRuleForAllPolicies()
    {
        var node = Web("ingress: [{fromEndpoints: [{matchLabels: {role: other}}]}]", "ingress: [{fromEndpoints: [{matchLabels: {role: client}}]}]");
        Assert.Equal("0[client,other]", Show(node));
        var rule = node.Of("web").Policy.IngressPerPortPolicies[0].Rules[0];
        Assert.Equal("default/p0, default/p1", rule.Name);
        Assert.Equal(rule.RemotePolicies.Order(), rule.RemotePolicies);
    }

    [Fact]
    public void LoneWorldAddressFamilies_AreToldApartOnlyWhenBothAreHere()
    {
        var node = Texts.Compile(
            Texts.Endpoint("web", "10.0.0.1, 'fd00::1'", "app: web"),
            Texts.ForWeb("egress: [{toCIDR: ['::/0']}]"));
        Assert.Equal("0[reserved:world-ipv6]", Show(node, TrafficDirection.Egress));
        var map = IdentityMap.Compile([.. node.Hosts.Select(PolicyResources.FromProto)]);
        Assert.Equal(ReservedIdentities.WorldIpv4, map.Find(System.Net.IPAddress.Parse("8.8.8.8")));
        Assert.Equal(ReservedIdentities.WorldIpv6, map.Find(System.Net.IPAddress.Parse("2001:db8::1")));
    }

    [Fact]
    public void Hosts_HoldEndpointsAndPrefixes_AndTheEndpointWins()
    {
        var node = Web("egress: [{toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}]}, {toCIDR: [10.0.0.2/32]}]");
        var map = IdentityMap.Compile([.. node.Hosts.Select(PolicyResources.FromProto)]);
        Assert.Equal(node.Of("client").Identity, map.Find(System.Net.IPAddress.Parse("10.0.0.2")));
        Assert.True(map.Find(System.Net.IPAddress.Parse("10.9.9.9")) > 1 << 24);
        Assert.NotEqual(map.Find(System.Net.IPAddress.Parse("10.9.9.9")), map.Find(System.Net.IPAddress.Parse("10.1.9.9")));
        Assert.DoesNotContain(map.Find(System.Net.IPAddress.Parse("10.1.9.9")), node.Of("web").Policy.EgressPerPortPolicies[0].Rules[0].RemotePolicies);
    }

    [Fact]
    public void NamespaceLabels_SelectEndpoints()
    {
        var node = Texts.Compile([.. Texts.Pods, "apiVersion: v1\nkind: Namespace\nmetadata: {name: far, labels: {team: red}}",
            Texts.ForWeb("ingress: [{fromEndpoints: [{matchLabels: {'k8s:io.cilium.k8s.namespace.labels.team': red}}]}]")]);
        Assert.Equal("0[far/far]", Show(node));
    }

    [Fact]
    public void ClusterwidePolicy_IsForAllNamespaces_AndItsEmptySelectorForEndpointsOnly()
    {
        var node = Texts.Compile([.. Texts.Pods, Texts.Clusterwide("endpointSelector: {}\ningress: [{fromEndpoints: [{}]}]")]);
        Assert.Equal("0[client,far/far,other,web]", Show(node));
        Assert.All(node.Endpoints, endpoint => Assert.True(endpoint.IngressEnforced));
        Assert.Equal("/c", node.Endpoints[0].Policies[0]);
    }

    [Fact]
    public void PolicyOfANamespace_DoesNotReachAnother()
    {
        var node = Texts.Compile([.. Texts.Pods, Texts.Policy("endpointSelector: {matchLabels: {io.kubernetes.pod.namespace: far}}\ningress: [{}]")]);
        Assert.All(node.Endpoints, endpoint => Assert.False(endpoint.IngressEnforced));
        Assert.Contains(node.Warnings, warning => warning.EndsWith("selects no endpoint", StringComparison.Ordinal));
    }

    [Fact]
    public void Specs_AreAllInForce() => Assert.Equal("80[] 81[]", Show(Texts.Compile([.. Texts.Pods,
        """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: p}
        specs:
        - {endpointSelector: {matchLabels: {app: web}}, ingress: [{toPorts: [{ports: [{port: '80'}]}]}]}
        - {endpointSelector: {matchLabels: {app: web}}, ingress: [{toPorts: [{ports: [{port: '81'}]}]}]}
        """])));

    [Fact]
    public void ServerNamesAndTls_BecomeFieldsOfTheRule()
    {
        var node = Web("egress: [{toPorts: [{ports: [{port: '443', protocol: TCP}], serverNames: [b.example, '*.a.example'], terminatingTLS: {secret: {namespace: kube-system, name: t}}, originatingTLS: {secret: {namespace: kube-system, name: o}}, rules: {http: [{}]}}]}]");
        var rule = node.Of("web").Policy.EgressPerPortPolicies[0].Rules[0];
        Assert.Equal(["*.a.example", "b.example"], rule.ServerNames);
        Assert.Equal("cilium-secrets/kube-system-t", rule.DownstreamTlsContext.TlsSdsSecret);
        Assert.Equal("cilium-secrets/kube-system-o", rule.UpstreamTlsContext.ValidationContextSdsSecret);
        Assert.Equal("", rule.UpstreamTlsContext.TlsSdsSecret);
        Assert.Equal("default/p0", rule.Name);
    }

    [Fact]
    public void Served_IsAcceptedByTheEngine()
    {
        var node = Web("ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{path: '/a.*', headers: ['X: y']}]}}]}]", "egress: [{toEntities: [world]}]");
        var snapshot = PolicySnapshot.Compile([.. node.Endpoints.Select(endpoint => PolicyResources.FromProto(endpoint.Policy))]);
        Assert.NotNull(snapshot.FindEndpoint("10.0.0.1"));
    }

    [Fact]
    public void AddressOfTheNode_IsTheHostAndNotTheWorld()
    {
        var model = Texts.Read([.. Texts.Pods, Texts.ForWeb("egress:\n- toCIDR: [0.0.0.0/0, 10.9.0.0/16]")]);
        IPAddress[] own = [IPAddress.Parse("10.9.0.1"), IPAddress.Parse("10.0.0.1")];
        var node = new NodeCompiler(new IdentityAllocator(), () => own).Compile(model);
        Assert.Equal(["10.9.0.1/32"], Assert.Single(node.Hosts, hosts => hosts.Policy == 1).HostAddresses);
    }
}
