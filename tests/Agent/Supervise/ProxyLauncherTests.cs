using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Agent.Supervise;

namespace Postern.Tests.Agent.Supervise;

/// <summary>With real processes: shell scripts in the place of the proxy.</summary>
public sealed class ProxyLauncherTests : IDisposable
{
    private const string Sleeper = "#!/bin/sh\necho \"started with $*\"\ntrap 'echo drained; exit 0' TERM\nwhile :; do sleep 0.05; done\n";

    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Launch_ScriptGetsTheArgumentsAndWritesToTheLog()
    {
        using var proxy = Make(Sleeper).Launch();

        await Eventually.True(() => Log().Contains("started with run --it is", StringComparison.Ordinal), Log);

        proxy.Terminate();
        Assert.Equal(0, await Exit(proxy));
        Assert.Contains("drained", Log(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kill_ExitCodeNamesTheSignal()
    {
        using var proxy = Make(Sleeper).Launch();

        proxy.Kill();

        Assert.Equal(137, await Exit(proxy));
    }

    [Fact]
    public async Task IdentitiesAreNotKnown_ProxyOfTheEarlierAgentIsKilled()
    {
        using var proxy = Make(Sleeper).Launch();

        Make(Sleeper).KillLeftover();

        Assert.Equal(137, await Exit(proxy));
        Make(Sleeper).KillLeftover(); // there is none any more
    }

    [Fact]
    public void NoExecutable_ErrorNamesPathAndKnob()
    {
        var launcher = new ProxyLauncher(new ProxyCommand(folder.At("absent"), [], folder.At("a.sock")), new ProxyLog(folder.At("log")), new ProxyRecord(folder.At("r")), NullLogger.Instance);

        var error = Assert.Throws<ProxyLaunchException>(launcher.Launch);

        Assert.Contains(folder.At("absent"), error.Message, StringComparison.Ordinal);
        Assert.Contains("--proxy", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ProxyThatAnswers_IsAdoptedByTheNextAgent()
    {
        using var admin = Answering();
        using var proxy = Make(Sleeper).Launch();

        using var adopted = await Make(Sleeper).TryAdoptAsync(CancellationToken.None);

        Assert.NotNull(adopted);
        Assert.Equal(proxy.Pid, adopted.Pid);
        Assert.True(adopted.IsAdopted);
        adopted.Kill();
        Assert.Null(await Exit(adopted));
    }

    [Fact]
    public async Task ProxyThatDoesNotAnswer_IsStoppedAndNotAdopted()
    {
        using var proxy = Make(Sleeper).Launch();
        await Eventually.True(() => Log().Contains("started", StringComparison.Ordinal), Log);

        Assert.Null(await Make(Sleeper).TryAdoptAsync(CancellationToken.None));

        Assert.Equal(0, await Exit(proxy));
    }

    [Fact]
    public async Task RecordOfAnotherProcess_IsLeftAlone()
    {
        using var admin = Answering();
        var mine = ProcessIdentity.Of(Environment.ProcessId)!;
        new ProxyRecord(folder.At("proxy.json")).Write(mine with { StartTicks = mine.StartTicks + 1 });

        Assert.Null(await Make(Sleeper).TryAdoptAsync(CancellationToken.None));

        Assert.True(mine.IsAlive);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{\"Pid\":-1}")]
    [InlineData("{\"Pid\":1,\"StartTicks\":0,\"BootId\":\"x\"}")]
    [InlineData("\0\0\0")]
    public void BrokenRecord_IsNone(string text)
    {
        folder.Write("proxy.json", text);

        Assert.Null(new ProxyRecord(folder.At("proxy.json")).Read());
    }

    [Fact]
    public void LongLog_IsRotatedAtTheNextLaunch()
    {
        var log = new ProxyLog(folder.Write("proxy.log", new string('x', 100)), maxBytes: 99);

        log.RotateIfLong();

        Assert.False(File.Exists(log.Path));
        Assert.Equal(100, new FileInfo(log.Path + ".1").Length);
    }

    [Fact]
    public void Tail_LinesAreBoundedAndClean()
    {
        var log = new ProxyLog(folder.Write("proxy.log", "old\n\u001b[31mred\n" + new string('y', 5000) + "\n"));

        var tail = log.Tail(2);

        Assert.Equal([" [31mred", new string('y', 400)], tail);
    }

    private ProxyLauncher Make(string script)
    {
        var path = folder.At("proxy.sh");
        if (!File.Exists(path))
        {
            folder.Write("proxy.sh", script);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
        return new ProxyLauncher(
            new ProxyCommand(path, ["run", "--it", "is"], folder.At("admin.sock")),
            new ProxyLog(folder.At("proxy.log")),
            new ProxyRecord(folder.At("proxy.json")),
            NullLogger.Instance);
    }

    private Socket Answering()
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(folder.At("admin.sock")));
        listener.Listen();
        _ = AnswerAsync(listener);
        return listener;
    }

    private static async Task AnswerAsync(Socket listener)
    {
        try
        {
            using var client = await listener.AcceptAsync();
            await client.ReceiveAsync(new byte[4096]);
            await client.SendAsync(Encoding.ASCII.GetBytes("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static Task<int?> Exit(IProxyProcess proxy) => proxy.WaitForExitAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));

    private string Log() => File.Exists(folder.At("proxy.log")) ? File.ReadAllText(folder.At("proxy.log")) : "(no log)";
}
