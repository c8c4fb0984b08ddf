using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Postern.Records;
using Postern.Records.Json;
using Postern.Records.Observe;

namespace Postern.Tests.Records.Observe;

public sealed class ObserveServerTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("postern-observe-").FullName;
    private readonly ConcurrentQueue<string> log = new();
    private readonly CancellationTokenSource deadline = new(TimeSpan.FromSeconds(20));

    private string SocketPath => Path.Combine(folder, "observe.sock");

    public void Dispose()
    {
        deadline.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private ObserveServer Serve(ObserveServerOptions options) => new(options, log.Enqueue);

    private ObserveServerOptions Options => new() { Path = SocketPath };

    private Task<ObserveClient> ConnectAsync() => ObserveClient.ConnectAsync(SocketPath, deadline.Token);

    private async Task<ObserveLine> ReadAsync(ObserveClient client) =>
        ObserveLine.Parse(await client.ReadLineAsync(deadline.Token) ?? throw new InvalidDataException("closed"));

    [Fact]
    public async Task Observer_GetsTheReplayThenLiveRecords()
    {
        using var server = Serve(Options with { ReplayRecords = 2 });
        using var hub = new RecordHub(new JsonLineSink(new JsonRecordEncoder(), server));
        for (var i = 1; i <= 5; i++)
        {
            Publish(hub, i);
        }

        using var client = await ConnectAsync();
        Assert.Equal("4", (await ReadAsync(client)).Text("rule"));
        Assert.Equal("5", (await ReadAsync(client)).Text("rule"));
        Assert.Equal(ObserveLineKind.ReplayEnd, (await ReadAsync(client)).Kind);
        Publish(hub, 6);
        Assert.Equal("6", (await ReadAsync(client)).Text("rule"));
        Assert.Empty(log);
    }

    [Fact]
    public async Task NobodyConnectedAndNoReplay_SerialisesNothing()
    {
        using var server = Serve(Options with { ReplayRecords = 0 });
        using var hub = new RecordHub(new JsonLineSink(new JsonRecordEncoder(), server));
        Publish(hub, 1);
        Assert.False(server.IsListening);
        Assert.Equal(0, server.Written);

        using (var client = await ConnectAsync())
        {
            Assert.Equal(ObserveLineKind.ReplayEnd, (await ReadAsync(client)).Kind);
            Publish(hub, 2);
            Assert.Equal("2", (await ReadAsync(client)).Text("rule"));
        }

        Until.True(() => !server.IsListening, () => $"{server.Observers} observers");
    }

    [Fact]
    public async Task SlowObserver_IsToldWhatItLostAndTheOthersLoseNothing()
    {
        using var server = Serve(Options with { ReplayRecords = 0, MaxRecords = 50, Interval = TimeSpan.FromMilliseconds(1) });
        using var hub = new RecordHub(new JsonLineSink(new JsonRecordEncoder(), server));
        using var slow = await ConnectAsync();
        using var quick = await ConnectAsync();
        await ReadAsync(slow);
        await ReadAsync(quick);

        // The kernel takes some 200 KB for the slow one; then the ring turns over beneath it.
        const int total = 1_200;
        for (var i = 1; i <= total; i++)
        {
            Publish(hub, i);
            Assert.Equal($"{i}", (await ReadAsync(quick)).Text("rule"));
        }

        var seen = 0L;
        var lost = 0L;
        while (seen + lost < total)
        {
            var line = await ReadAsync(slow);
            lost += line.Lost;
            if (line.Kind == ObserveLineKind.Record)
            {
                seen++;
                Assert.Equal($"{seen + lost}", line.Text("rule"));
            }
        }

        Assert.True(lost > 0);
        Until.True(() => server.Dropped == lost, () => $"counted {server.Dropped}, told {lost}"); // counted after the marker is sent
    }

    [Fact]
    public async Task OneObserverTooMany_IsToldSo()
    {
        using var server = Serve(Options with { MaxObservers = 1 });
        using var first = await ConnectAsync();
        Assert.Equal(ObserveLineKind.ReplayEnd, (await ReadAsync(first)).Kind);
        using var second = await ConnectAsync();

        Assert.Equal("too many observers", (await ReadAsync(second)).Error);
        Assert.Null(await second.ReadLineAsync(deadline.Token));
    }

    [Fact]
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public void SocketFile_IsPrivateReplacedWhenStaleAndRemovedAtTheEnd()
    {
        using (var stale = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            stale.Bind(new UnixDomainSocketEndPoint(SocketPath));
            stale.Listen();
            File.Move(SocketPath, SocketPath + ".kept"); // .NET removes the file of a socket it closes; a crash does not
        }

        File.Move(SocketPath + ".kept", SocketPath);
        Assert.True(File.Exists(SocketPath));
        using (Serve(Options))
        {
            const UnixFileMode expected = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
            Assert.Equal(expected, File.GetUnixFileMode(SocketPath));
            var e = Assert.Throws<RecordSinkException>(() => Serve(Options));
            Assert.Contains(SocketPath, e.Message, StringComparison.Ordinal);
            Assert.True(File.Exists(SocketPath), "the second server took the socket of the first");
        }

        Assert.False(File.Exists(SocketPath));
    }

    [Fact]
    public void PathOfAnOrdinaryFile_IsRefusedAndTheFileKept()
    {
        File.WriteAllText(SocketPath, "notes");

        Assert.Throws<RecordSinkException>(() => Serve(Options));
        Assert.Equal("notes", File.ReadAllText(SocketPath));
    }

    [Fact]
    public async Task Dispose_EndsTheObserversStream()
    {
        var server = Serve(Options);
        using var client = await ConnectAsync();
        await ReadAsync(client);
        server.Write("{\"rule\":\"last\"}\n"u8);
        server.Dispose();

        Assert.Equal("last", (await ReadAsync(client)).Text("rule"));
        Assert.Null(await client.ReadLineAsync(deadline.Token));
    }

    private static void Publish(RecordHub hub, int number)
    {
        var record = SampleExchange.Request();
        record.RuleName = $"{number}";
        hub.Publish(record);
    }
}
