using System;
using System.Collections.Generic;
using Postern.Filters.Http;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Records;

namespace Postern.Tests.Filters.Http;

public class L7PolicyFilterTests : IRecordSink
{
    private readonly PolicyFixture policy = new();
    private readonly List<string> log = [];
    private readonly L7PolicyFilter filter;

    public L7PolicyFilterTests() => filter = new L7PolicyFilter("", this);

    string IRecordSink.Name => "test";

    long IRecordSink.Dropped => 0;

    void IRecordSink.Write(VisibilityRecord record) => log.Add($"{record.EntryType} {record.Http!.Status} {record.Reason}");

    [Fact]
    public void Allowed_LogsRequestThenResponse()
    {
        policy.Set([PolicyFixture.Ingress("10.0.0.2", 80, PolicyFixture.Remote(5) with { HttpRules = [PolicyFixture.Method("GET")] })]);
        var exchange = Exchange(5);
        Assert.Null(Request(exchange, "GET"));
        Respond(exchange, 200);
        filter.OnStreamEnd(exchange);
        Assert.Equal(["Request 0 allowed", "Response 200 allowed"], log);
    }

    [Fact]
    public void Denied_LogsDeniedThenResponse()
    {
        policy.Set([PolicyFixture.Ingress("10.0.0.2", 80, PolicyFixture.Remote(5) with { HttpRules = [PolicyFixture.Method("GET")] })]);
        var exchange = Exchange(5);
        var reply = Request(exchange, "PUT");
        Assert.Equal(403, reply!.Status);
        Assert.Equal("Access denied\r\n", reply.Body);
        exchange.Reply = reply;
        Respond(exchange, 403);
        filter.OnStreamEnd(exchange);
        Assert.Equal(["Denied 0 no_http_rule_matched", "Response 403 no_http_rule_matched"], log);
    }

    [Theory]
    [InlineData("Go away", "Go away\r\n")]
    [InlineData("Go away\r\n", "Go away\r\n")]
    public void ConfiguredBody_EndsWithOneCrlf(string configured, string expected) => Assert.Equal(expected, new LocalReplyText(configured).Body);

    [Fact]
    public void NoResponse_RequestIsLoggedOnceAtTheEnd()
    {
        policy.Set([PolicyFixture.Ingress("10.0.0.2", 80)]);
        var exchange = Exchange(5);
        Request(exchange, "GET");
        filter.OnStreamEnd(exchange);
        Assert.Equal(["Request 0 allowed"], log);
    }

    [Fact]
    public void PolicySwappedBetweenRequests_NextRequestIsJudgedAnew()
    {
        policy.Set([PolicyFixture.Ingress("10.0.0.2", 80)]);
        var exchange = Exchange(5);
        Assert.Null(Request(exchange, "GET"));
        policy.Set([PolicyFixture.Ingress("10.0.0.2", 80, PolicyFixture.Remote(6))]);
        Assert.Equal(403, Request(exchange, "GET")!.Status); // no http_rules anywhere: upstream would let it pass on the open connection
        policy.Set([]);
        Assert.Equal("no_policy_for_endpoint", Request(exchange, "GET")!.Reason);
        policy.Set([PolicyFixture.Ingress("10.0.0.2", 80)]);
        Assert.Null(Request(exchange, "GET"));
    }

    [Fact]
    public void NoMetadata_Is500()
    {
        var exchange = new HttpExchange(null, "l");
        Assert.Equal(500, Request(exchange, "GET")!.Status);
    }

    [Fact]
    public void ReplyBeforeTheVerdict_LogsRequestFirst()
    {
        policy.Set([PolicyFixture.Ingress("10.0.0.2", 80)]);
        var exchange = Exchange(5);
        exchange.Begin(new TestRequest("GET"), HttpProtocol.Http11, 1);
        exchange.Reply = new LocalReply(503, "", "overload", "");
        Respond(exchange, 503);
        Assert.Equal(["Request 0 overload", "Response 503 overload"], log);
    }

    private HttpExchange Exchange(uint remote) => new(policy.Connection(TrafficDirection.Ingress, "10.0.0.1:1", "10.0.0.2:80", remote), "l");

    private LocalReply? Request(HttpExchange exchange, string method)
    {
        exchange.Begin(new TestRequest(method), HttpProtocol.Http11, 1);
        return filter.OnRequestHeaders(exchange);
    }

    private void Respond(HttpExchange exchange, int status)
    {
        exchange.SetResponse(status, exchange.Request, 2);
        filter.OnResponseHeaders(exchange);
    }
}
