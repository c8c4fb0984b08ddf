using System;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Cilium;
using Postern.Agent;
using Postern.Agent.AccessLog;
using Postern.Agent.Api;
using Postern.Tests.Agent.AccessLog;

namespace Postern.Tests.Agent.Api;

/// <summary>The command line against the API on a real unix socket.</summary>
public sealed class ApiTests : IAsyncLifetime, IDisposable
{
    private readonly TempFolder folder = new();
    private AccessLogServer records = null!;
    private ApiServer server = null!;

    private string SocketPath => folder.At("agent.sock");

    public async Task InitializeAsync()
    {
        records = AccessLogServer.Start(new AccessLogServerOptions { Path = folder.At("log.sock"), Log = _ => { } });
        server = await ApiServer.StartAsync(SocketPath, new FakeAgent(), records, CancellationToken.None);
    }

    public async Task DisposeAsync()
    {
        await server.DisposeAsync();
        await records.DisposeAsync();
    }

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("status", "revision")]
    [InlineData("endpoint list", "default/web")]
    [InlineData("identity list", "k8s:role=client")]
    [InlineData("status", "ebpf (the kernel can), not installed")]
    [InlineData("status", "eth0 lxc1")]
    [InlineData("steering list", "Mode:     ebpf (the kernel can)")]
    [InlineData("steering counters", "dropped: nobody listens at the proxy port")]
    [InlineData("policy get", "")]
    [InlineData("policy trace --from default/client --to default/web --port 80", "allow")]
    public async Task EachCommand_AnswersAsTableAndAsJson(string command, string part)
    {
        var (code, table, error) = await RunAsync(command);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains(part, table, StringComparison.Ordinal);
        var (jsonCode, json, _) = await RunAsync(command + " -o json");
        Assert.Equal(0, jsonCode);
        Assert.NotEqual(JsonValueKind.Undefined, JsonElement.Parse(json).ValueKind);
    }

    [Theory]
    [InlineData("policy trace --from default/nobody --to default/web --port 80", "default/nobody")]
    [InlineData("policy trace --from default/client --to default/web --port 80 --http nonsense", "nonsense")]
    [InlineData("policy get default/absent", "default/absent")]
    public async Task WrongQuestion_IsOneLineAndExitCode(string command, string part)
    {
        var (code, output, error) = await RunAsync(command);
        Assert.NotEqual(0, code);
        Assert.Empty(output);
        Assert.Contains(part, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public async Task NoAgent_ErrorNamesTheSocketAndTheKnob()
    {
        var (code, _, error) = await RunAsync("status", folder.At("absent.sock"));
        Assert.Equal(1, code);
        Assert.Contains(folder.At("absent.sock"), error, StringComparison.Ordinal);
        Assert.Contains("--api-socket", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("table")]
    [InlineData("json")]
    public async Task Monitor_FollowsAndShowsNoCredentials(string format)
    {
        var entry = ProxySocket.Entry();
        entry.Http.Path = "/followed";
        foreach (var name in new[] { "authorization", "cookie", "x-api-key", "proxy-authorization" })
        {
            entry.Http.Headers.Add(new KeyValue { Key = name, Value = "hunter2" });
        }
        entry.Http.RejectedHeaders.Add(new KeyValue { Key = "x-token", Value = "hunter2" });
        using var stop = new CancellationTokenSource();
        // A file, because it is read while it is written.
        await using var output = new StreamWriter(new FileStream(folder.At("out"), FileMode.Create, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
        var following = Root(["monitor", "-o", format, "--api-socket", SocketPath]).InvokeAsync(new InvocationConfiguration { Output = output }, stop.Token);
        using var proxy = new ProxySocket(folder.At("log.sock"));

        // The follower is there once it has seen one of them.
        await Eventually.True(() => Sent(proxy, entry) && Written().Contains("/followed", StringComparison.Ordinal), Written);

        await stop.CancelAsync();
        Assert.Equal(0, await following.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.DoesNotContain("hunter2", Written(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET /v1/nothing HTTP/1.1\r\nhost: a\r\n\r\n", " 404 ")]
    [InlineData("DELETE /v1/policies HTTP/1.1\r\nhost: a\r\n\r\n", " 405 ")]
    [InlineData("POST /v1/policy/trace HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nnull", " 400 ")]
    [InlineData("POST /v1/policy/trace HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\n{\"f", " 400 ")]
    [InlineData("POST /v1/policy/trace HTTP/1.1\r\nhost: a\r\ncontent-length: 9999999\r\n\r\n{", " 413 ")]
    public async Task StrangeRequest_IsRefused(string request, string status)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath));
        await socket.SendAsync(Encoding.ASCII.GetBytes(request));
        var answer = new byte[4096];
        var count = await socket.ReceiveAsync(answer).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Contains(status, Encoding.ASCII.GetString(answer, 0, count).Split('\r')[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Validate_NamesPlaceAndNearestName()
    {
        Directory.CreateDirectory(folder.At("in"));
        folder.Write("in/p.yaml", Texts.ForWeb("ingress:\n- fromEndpoint:\n  - {}"));
        var (code, _, error) = await RunAsync($"policy validate --dir {folder.At("in")}", null);
        Assert.Equal(1, code);
        Assert.StartsWith("p.yaml:7:5:", error, StringComparison.Ordinal);
        Assert.Contains("did you mean 'fromEndpoints'", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Socket_IsForOwnerAndGroupOnly()
    {
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(SocketPath) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute));
        }
    }

    private string Written()
    {
        using var reader = new StreamReader(new FileStream(folder.At("out"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    private static bool Sent(ProxySocket proxy, LogEntry entry)
    {
        proxy.Send(entry);
        return true;
    }

    private static ParseResult Root(string[] arguments) => Program.Root().Parse(arguments);

    private Task<(int Code, string Output, string Error)> RunAsync(string command) => RunAsync(command, SocketPath);

    private static async Task<(int Code, string Output, string Error)> RunAsync(string command, string? socket)
    {
        var output = new StringWriter(CultureInfo.InvariantCulture);
        var error = new StringWriter(CultureInfo.InvariantCulture);
        string[] arguments = [.. command.Split(' '), .. socket is null ? (string[])[] : ["--api-socket", socket]];
        var code = await Root(arguments).InvokeAsync(new InvocationConfiguration { Output = output, Error = error });
        return (code, output.ToString(), error.ToString());
    }
}
