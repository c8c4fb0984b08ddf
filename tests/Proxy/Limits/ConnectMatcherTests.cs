using Postern.Policy.Config;
using Postern.Proxy.Http;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Limits;

/// <summary><c>connect_matcher</c> takes CONNECT, and nothing else does.</summary>
public sealed class ConnectMatcherTests
{
    private const string Connect = "CONNECT a.b:443 HTTP/1.1\r\nHost: a.b:443";
    private const string Get = "GET / HTTP/1.1\r\nHost: a.b";

    [Theory]
    [InlineData(Connect, "connect")]
    [InlineData(Get, "rest")]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: a.b", null)]
    [InlineData("GET http://a.b HTTP/1.1\r\nHost: a.b", "rest")]
    [InlineData("GET /a:443 HTTP/1.1\r\nHost: a.b:443\r\nUpgrade: connect", "rest")]
    public void Table_SendsConnectToItsRouteOnly(string request, string? expected) =>
        Assert.Equal(expected, Table(Of("connect") with { Connect = true }, Of("rest") with { PathKind = StringMatchKind.Prefix, Path = "/" }).Match(HeadOf.Request(request))?.Config.Name);

    [Theory]
    [InlineData(StringMatchKind.Prefix, "/")]
    [InlineData(StringMatchKind.Exact, "/")]
    [InlineData(StringMatchKind.Exact, "")]
    [InlineData(StringMatchKind.SafeRegex, ".*")]
    public void PathMatch_NeverTakesConnect(StringMatchKind kind, string path) =>
        Assert.Null(Table(Of("rest") with { PathKind = kind, Path = path }).Match(HeadOf.Request(Connect)));

    [Fact]
    public void Headers_CountForConnectToo()
    {
        var route = Of("connect") with { Connect = true, Headers = [new HeaderMatcherConfig("x-a", null, false, false)] };
        Assert.Null(Table(route).Match(HeadOf.Request(Connect)));
        Assert.NotNull(Table(route).Match(HeadOf.Request(Connect, "x-a: 1")));
    }

    private static RouteEntryConfig Of(string name) => new(name, StringMatchKind.Exact, "", [], false, "c", null, null);

    private static RouteTable Table(params RouteEntryConfig[] routes) => new(new RouteConfig("r", [new VirtualHostConfig("v", ["*"], [.. routes])]), static _ => null);
}
