using System;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Observe;
using Postern.Records.Observe;

namespace Postern.Tests.Proxy.Observe;

public sealed class ObserveCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("postern-observe-").FullName;
    private readonly StringWriter output = new();
    private readonly StringWriter error = new();
    private readonly CancellationTokenSource deadline = new(TimeSpan.FromSeconds(20));

    private string SocketPath => Path.Combine(folder, "observe.sock");

    public void Dispose()
    {
        deadline.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private Task<int> RunAsync(ObserveOptions options) => ObserveCommand.RunAsync(options with { Socket = SocketPath }, output, error, deadline.Token);

    private ObserveServer ServeFour()
    {
        var server = new ObserveServer(new ObserveServerOptions { Path = SocketPath }, error.WriteLine);
        foreach (var (rule, verdict) in new[] { ("a", "denied"), ("b", "forwarded"), ("c", "denied"), ("d", "forwarded") })
        {
            server.Write(Encoding.ASCII.GetBytes($"{{\"verdict\":\"{verdict}\",\"rule\":\"{rule}\"}}\n"));
        }

        return server;
    }

    [Fact]
    public async Task NoProxy_NamesTheSocketAndTheFlag()
    {
        Assert.Equal(1, await RunAsync(new ObserveOptions()));
        Assert.Contains(SocketPath, error.ToString(), StringComparison.Ordinal);
        Assert.Contains("--socket", error.ToString(), StringComparison.Ordinal);
        Assert.Empty(output.ToString());
    }

    [Theory]
    [InlineData(2, false, "c d")]
    [InlineData(2, true, "a c")]
    [InlineData(1, true, "c")]
    [InlineData(99, false, "a b c d")]
    [InlineData(0, false, "")]
    public async Task Last_ShowsThatManyOfTheKindAskedForAndStops(int last, bool denied, string expected)
    {
        using var server = ServeFour();

        Assert.Equal(0, await RunAsync(new ObserveOptions { Last = last, Follow = false, DeniedOnly = denied, Format = ObserveFormat.Json }));

        var rules = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => ObserveLine.Parse(line).Text("rule"));
        Assert.Equal(expected, string.Join(' ', rules));
    }

    [Fact]
    public async Task Table_StartsWithAHeadAndColorsOnlyWhenAsked()
    {
        using var server = ServeFour();

        await RunAsync(new ObserveOptions { Last = 1, Follow = false, DeniedOnly = true });
        Assert.Equal(2, output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("DENIED", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', output.ToString());

        await RunAsync(new ObserveOptions { Last = 1, Follow = false, DeniedOnly = true, Colors = true });
        Assert.Contains("\u001b[31m", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ProxyThatStops_EndsTheCommandWithAWord()
    {
        var server = ServeFour();
        var run = RunAsync(new ObserveOptions());
        while (server.Observers == 0 && !run.IsCompleted)
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        server.Dispose();

        Assert.Equal(1, await run);
        Assert.Contains("closed the connection", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelled_EndsQuietly()
    {
        using var server = ServeFour();
        using var cancel = new CancellationTokenSource();
        var run = ObserveCommand.RunAsync(new ObserveOptions { Socket = SocketPath }, output, error, cancel.Token);
        while (server.Observers == 0 && !run.IsCompleted)
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        await cancel.CancelAsync();

        Assert.Equal(0, await run);
        Assert.Empty(error.ToString());
    }
}
