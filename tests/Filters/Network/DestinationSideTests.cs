using System.Collections.Generic;
using System.Net;
using Postern.Filters;
using Postern.Filters.Http;
using Postern.Filters.Listener;
using Postern.Filters.Network;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Records;
using Postern.Tests.Filters.Http;

namespace Postern.Tests.Filters.Network;

/// <summary>An egress connection to a pod that has a policy of its own: one pass of the proxy judges both sides.</summary>
public class DestinationSideTests : IRecordSink
{
    private const string Client = "10.0.0.1";
    private const string Server = "10.0.0.2";

    private readonly PolicyFixture policy = new();
    private readonly List<string> log = [];

    string IRecordSink.Name => "test";

    long IRecordSink.Dropped => 0;

    void IRecordSink.Write(VisibilityRecord record) => log.Add($"{record.EntryType} {record.Direction} {record.PolicyName} {record.Reason}");

    [Theory]
    [InlineData(100, true)]
    [InlineData(101, false)]
    public void EgressAllowed_DestinationsIngressDecides(uint wanted, bool allowed)
    {
        Set(PolicyFixture.Remote(wanted));
        var (verdict, side) = CiliumNetwork.JudgeSides(Resolve(judges: true), opaque: false);
        Assert.Equal(allowed, verdict.IsAllowed);
        Assert.Equal(allowed ? Client : Server, side!.PodAddress);
    }

    [Fact]
    public void EgressDenied_IsTheClientsVerdict()
    {
        policy.Set([Pod("1", Client, egress: PolicyFixture.Remote(999)), Pod("2", Server, ingress: PolicyFixture.Remote(100))], (100, Client), (200, Server));
        var (verdict, side) = CiliumNetwork.JudgeSides(Resolve(judges: true), opaque: false);
        Assert.False(verdict.IsAllowed);
        Assert.Equal(TrafficDirection.Egress, side!.Direction);
    }

    [Fact]
    public void DatapathJudgesTheDestination_OnlyEgressIsAsked()
    {
        Set(PolicyFixture.Remote(101));
        Assert.True(CiliumNetwork.JudgeSides(Resolve(judges: false), opaque: false).Verdict.IsAllowed);
    }

    [Fact]
    public void DestinationWithoutPolicyHere_IsNotAsked()
    {
        policy.Set([Pod("1", Client, egress: PolicyFixture.Remote(200))], (100, Client), (200, Server));
        Assert.True(CiliumNetwork.JudgeSides(Resolve(judges: true), opaque: true).Verdict.IsAllowed);
    }

    [Fact]
    public void HttpRulesOfTheDestination_RefuseAnUnparsedConnection()
    {
        Set(PolicyFixture.Remote(100) with { HttpRules = [PolicyFixture.Method("GET")] });
        Assert.True(CiliumNetwork.JudgeSides(Resolve(judges: true), opaque: false).Verdict.IsAllowed);
        Assert.False(CiliumNetwork.JudgeSides(Resolve(judges: true), opaque: true).Verdict.IsAllowed);
    }

    [Fact]
    public void HttpRulesOfTheDestination_JudgeEachRequestAndTheRecordNamesThatSide()
    {
        Set(PolicyFixture.Remote(100) with { HttpRules = [PolicyFixture.Method("GET")] });
        var filter = new L7PolicyFilter("", this);
        var exchange = new HttpExchange(Resolve(judges: true), "test");
        Assert.Null(Request(filter, exchange, "GET"));
        Assert.Equal(403, Request(filter, exchange, "PUT")!.Status);
        Assert.Null(Request(filter, exchange, "GET"));
        Assert.Equal(
            [$"Request Egress {Client} allowed", $"Denied Ingress {Server} no_http_rule_matched", $"Request Egress {Client} allowed"],
            log);
    }

    [Fact]
    public void PolicyOfTheDestinationArrives_NextRequestIsJudgedByIt()
    {
        policy.Set([Pod("1", Client, egress: PolicyFixture.Remote(200))], (100, Client), (200, Server));
        var filter = new L7PolicyFilter("", this);
        var exchange = new HttpExchange(Resolve(judges: true), "test");
        Assert.Null(Request(filter, exchange, "GET"));
        Set(PolicyFixture.Remote(101));
        Assert.Equal(403, Request(filter, exchange, "GET")!.Status);
    }

    private void Set(PortRuleConfig ingress) =>
        policy.Set([Pod("1", Client, egress: PolicyFixture.Remote(200)), Pod("2", Server, ingress: ingress)], (100, Client), (200, Server));

    private ConnectionMetadata Resolve(bool judges) => new BpfMetadata
    {
        Direction = TrafficDirection.Egress,
        ProxyId = 0,
        UseOriginalSourceAddress = true,
        MarkUpstream = false,
        IsOnlyDatapath = judges,
        Policy = policy,
    }.Resolve(IPEndPoint.Parse(Client + ":4000"), IPEndPoint.Parse(Server + ":80"), "");

    private static LocalReply? Request(L7PolicyFilter filter, HttpExchange exchange, string method)
    {
        exchange.Begin(new TestRequest(method), HttpProtocol.Http11, 1);
        return filter.OnRequestHeaders(exchange);
    }

    private static NetworkPolicyConfig Pod(string name, string ip, PortRuleConfig? ingress = null, PortRuleConfig? egress = null) =>
        new(name, ulong.Parse(name, System.Globalization.CultureInfo.InvariantCulture), [ip], Ports(ingress), Ports(egress));

    private static EquatableList<PortNetworkPolicyConfig> Ports(PortRuleConfig? rule) =>
        rule is null ? [] : [new PortNetworkPolicyConfig(80, 0, PolicyProtocol.Tcp, [rule])];
}
