using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Tests.Proxy.Admin;

public class ControlPagesTests
{
    [Theory]
    [InlineData("/drain_listeners", "drain")]
    [InlineData("/drain_listeners?graceful", "drain")]
    [InlineData("/healthcheck/fail", "fail")]
    [InlineData("/healthcheck/ok", "ok")]
    [InlineData("/logging?level=debug", "level Debug")]
    [InlineData("/logging?level=off", "level None")]
    [InlineData("/logging?postern=INFO", "level Information")]
    public async Task Post_Acts(string path, string done)
    {
        await using var host = await AdminHost.StartAsync();
        Assert.Equal(200, (await host.AskAsync("POST", path)).Status);
        Assert.Equal([done], host.Target.Done);
    }

    [Theory]
    [InlineData("GET", "/drain_listeners")]
    [InlineData("GET", "/healthcheck/fail")]
    [InlineData("PUT", "/healthcheck/ok")]
    [InlineData("GET", "/quitquitquit")]
    [InlineData("HEAD", "/quitquitquit")]
    [InlineData("GET", "/logging?level=debug")]
    public async Task AnyOtherMethod_Is405AndDoesNothing(string method, string path)
    {
        await using var host = await AdminHost.StartAsync();
        using var response = await host.SendAsync(method, path);
        Assert.Equal(405, (int)response.StatusCode);
        Assert.Equal(["POST"], response.Content.Headers.Allow);
        Assert.Empty(host.Target.Done);
    }

    [Theory]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-origin")]
    public async Task PostOfAWebPage_Is403AndDoesNothing(string header, string value)
    {
        await using var host = await AdminHost.StartAsync();
        using var response = await host.SendAsync("POST", "/quitquitquit", header, value);
        Assert.Equal(403, (int)response.StatusCode);
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.Empty(host.Target.Done);
    }

    [Fact]
    public async Task Quit_AnswersFirst()
    {
        await using var host = await AdminHost.StartAsync();
        Assert.Equal((200, "OK\n"), await host.AskAsync("POST", "/quitquitquit"));
        var clock = Stopwatch.StartNew();
        while (host.Target.Done.IsEmpty)
        {
            Assert.True(clock.Elapsed.TotalSeconds < 10, "nobody was asked to quit");
            Thread.Yield();
        }
        Assert.Equal(["quit"], host.Target.Done);
    }

    [Fact]
    public async Task LoggingWithoutQuery_ShowsTheLevel()
    {
        await using var host = await AdminHost.StartAsync();
        Assert.Equal("active loggers:\n  postern: info\n", await host.GetAsync("/logging"));
        Assert.Equal((200, "active loggers:\n  postern: info\n"), await host.AskAsync("POST", "/logging"));
        Assert.Empty(host.Target.Done);
    }

    [Theory]
    [InlineData("/logging?level=loud", "loud is none of trace")]
    [InlineData("/logging?paths=a:debug", "logging takes level=NAME")]
    [InlineData("/drain_listeners?inboundonly", "inboundonly is not supported")]
    public async Task ParameterThatMeansNothing_Is400AndDoesNothing(string path, string reason)
    {
        await using var host = await AdminHost.StartAsync();
        var (status, text) = await host.AskAsync("POST", path);
        Assert.Equal(400, status);
        Assert.Contains(reason, text);
        Assert.Empty(host.Target.Done);
    }

    [Fact]
    public async Task PostToAPageThatReads_Reads()
    {
        await using var host = await AdminHost.StartAsync();
        Assert.Equal((200, "LIVE\n"), await host.AskAsync("POST", "/ready"));
        Assert.Equal(405, (await host.AskAsync("DELETE", "/ready")).Status);
    }
}
