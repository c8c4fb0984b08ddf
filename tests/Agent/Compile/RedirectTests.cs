using System.Linq;
using System.Net;
using Postern.Agent.Compile;
using Postern.Policy;

namespace Postern.Tests.Agent.Compile;

public sealed class RedirectTests
{
    private const string Http80 = "toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{path: /a}]}}]";

    private const string Terminating = "terminatingTLS: {secret: {name: t, namespace: kube-system}}";

    private static string Show(CompiledEndpoint endpoint) => string.Join(" ", endpoint.Redirects.Select(one =>
        $"{one.Direction}:{one.Port}-{one.EndPort}:{one.Kind}{(one.Listener is null ? "" : "@" + one.Listener)}{(one.Remote is null ? "" : ">" + one.Remote)}"));

    [Theory]
    [InlineData("description: none", "")]
    [InlineData("ingress: [{}]", "Ingress:1-65535:Tcp")]
    [InlineData("ingress: [{" + Http80 + "}]", "Ingress:80-80:Http Ingress:1-65535:Tcp")]
    [InlineData("egress: [{toPorts: [{ports: [{port: '80', endPort: 90, protocol: TCP}], rules: {http: [{}]}}]}, {" + Http80 + "}]", "Egress:80-80:Http Egress:80-90:Http Egress:1-65535:Tcp")]
    [InlineData("ingress: [{toPorts: [{ports: [{port: '9092', protocol: TCP}], rules: {kafka: [{topic: a}]}}]}]", "Ingress:1-65535:Tcp")]
    [InlineData("egress: [{toPorts: [{ports: [{port: '443', protocol: TCP}], " + Terminating + ", rules: {http: [{}]}}]}, {" + Http80 + "}]", "Egress:443-443:Https Egress:80-80:Http Egress:1-65535:Tcp")]
    [InlineData("egress: [{toPorts: [{ports: [{port: '443', protocol: TCP}], " + Terminating + "}]}]", "Egress:1-65535:Tcp")]
    [InlineData("egress: [{toPorts: [{ports: [{port: '440', endPort: 449, protocol: TCP}], " + Terminating + ", serverNames: [a.b]}]}, {toPorts: [{ports: [{port: '443', protocol: TCP}], rules: {http: [{}]}}]}]", "Egress:443-443:Https Egress:1-65535:Tcp")]
    [InlineData("egress: [{toPorts: [{ports: [{port: '443', protocol: TCP}], originatingTLS: {secret: {name: ca}}, rules: {http: [{}]}}]}]", "Egress:443-443:Http Egress:1-65535:Tcp")]
    public void EnforcedDirection_GoesToTheProxy_HttpPortsFirst(string rules, string wanted) =>
        Assert.Equal(wanted, Show(Texts.Compile([.. Texts.Pods, Texts.ForWeb(rules)]).Of("web")));

    [Fact]
    public void EgressTowardsALocalHttpPort_IsLookedIntoInOnePass()
    {
        var node = Texts.Compile([.. Texts.Pods, Texts.ForWeb("ingress: [{" + Http80 + "}]"),
            Texts.Policy("endpointSelector: {matchLabels: {role: client}}\negress: [{toEndpoints: [{matchLabels: {app: web}}]}]", "q"),
            Texts.Policy("endpointSelector: {matchLabels: {role: other}}\negress: [{toEntities: [world]}]", "r")]);
        Assert.Equal("Egress:80-80:Http>10.0.0.1 Egress:1-65535:Tcp", Show(node.Of("client")));
        Assert.Equal("Egress:1-65535:Tcp", Show(node.Of("other")));
    }

    [Theory]
    [InlineData("description: none", "<Ingress/80/TCP/HTTP>,<Egress/81/TCP/HTTP>", "Ingress:80-80:Http Egress:81-81:Http")]
    [InlineData("description: none", "<Egress/53/ANY/DNS>,<Ingress/9092/TCP/Kafka>", "")]
    [InlineData("ingress: [{toPorts: [{ports: [{port: '80'}]}]}]", "<Ingress/80/TCP/HTTP>", "Ingress:80-80:Http Ingress:1-65535:Tcp")]
    [InlineData("ingress: [{fromEndpoints: [{}]}]", "<Ingress/80/TCP/HTTP>", "Ingress:80-80:Http Ingress:1-65535:Tcp")]
    [InlineData("ingress: [{toPorts: [{ports: [{port: '81'}]}]}]", "<Ingress/80/TCP/HTTP>", "Ingress:1-65535:Tcp")]
    [InlineData("ingress: [{" + Http80 + "}]", "<Ingress/80/TCP/HTTP>", "Ingress:80-80:Http Ingress:1-65535:Tcp")]
    [InlineData("ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {kafka: [{topic: a}]}}]}]", "<Ingress/80/TCP/HTTP>", "Ingress:1-65535:Tcp")]
    public void Visibility_RedirectsWhatIsAllowed_AndNeverChangesPolicy(string rules, string annotation, string wanted)
    {
        var with = Texts.Compile(Texts.Endpoint("web", "10.0.0.1", "app: web", $", annotations: {{'io.cilium.proxy-visibility': '{annotation}'}}"), Texts.ForWeb(rules)).Of("web");
        var without = Texts.Compile(Texts.Endpoint("web", "10.0.0.1", "app: web"), Texts.ForWeb(rules)).Of("web");
        Assert.Equal(wanted, Show(with));
        Assert.Equal(without.Policy, with.Policy);
    }

    [Fact]
    public void ListenerOfAPolicy_GetsItsPorts_AndAnAbsentOneAllowsNothing()
    {
        const string Config = "apiVersion: cilium.io/v2\nkind: CiliumEnvoyConfig\nmetadata: {name: c}\nspec:\n  resources:\n  - {'@type': type.googleapis.com/envoy.config.listener.v3.Listener, name: l}\n";
        var rules = Texts.ForWeb("egress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], listener: {name: l, envoyConfig: {name: c}}}]}]");
        Assert.Equal("Egress:80-80:Tcp@default/c/l Egress:1-65535:Tcp", Show(Texts.Compile([.. Texts.Pods, rules, Config]).Of("web")));
        var absent = Texts.Compile([.. Texts.Pods, rules]);
        Assert.Empty(absent.Of("web").Policy.EgressPerPortPolicies);
        Assert.Contains(absent.Warnings, warning => warning.Contains("no listener default/c/l", System.StringComparison.Ordinal));
    }
}
