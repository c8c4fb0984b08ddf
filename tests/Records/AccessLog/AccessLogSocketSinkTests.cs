using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Threading;
using Postern.Records.AccessLog;

namespace Postern.Tests.Records.AccessLog;

public sealed class AccessLogSocketSinkTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("postern-accesslog-").FullName;
    private readonly ConcurrentQueue<string> log = new();
    private readonly AccessLogOptions options = new() { ReconnectInterval = TimeSpan.FromMilliseconds(50) };

    private string SocketPath => Path.Combine(folder, "access_log.sock");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static Socket Listen(string path)
    {
        var server = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        server.Bind(new UnixDomainSocketEndPoint(path.StartsWith('@') ? "\0" + path[1..] : path));
        server.Listen(4);
        return server;
    }

    private static ProtoFields Receive(Socket peer)
    {
        var buffer = new byte[8192];
        peer.ReceiveTimeout = 5_000;
        return new ProtoFields(buffer[..peer.Receive(buffer)]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Entries_ArriveOnePerPacketInOrder(bool abstractName)
    {
        var path = abstractName ? $"@postern-test-{Guid.NewGuid():N}" : SocketPath;
        using var server = Listen(path);
        using var sink = new AccessLogSocketSink(path, options, log.Enqueue);
        var request = SampleExchange.Request();
        sink.Write(request);
        sink.Write(SampleExchange.Response());
        using var peer = server.Accept();

        Assert.Equal(0ul, Receive(peer).Number(3));
        Assert.Equal(1ul, Receive(peer).Number(3));
        Assert.Equal((2, 0), (sink.Written, sink.Dropped));
        Assert.Empty(log);
    }

    [Fact]
    public void NoAgent_DropsCountsAndConnectsWhenItComes()
    {
        using var sink = new AccessLogSocketSink(SocketPath, options, log.Enqueue);
        sink.Write(SampleExchange.Request());
        sink.Write(SampleExchange.Request());
        Assert.Equal(2, sink.Dropped);
        Assert.Contains(SocketPath, Assert.Single(log), StringComparison.Ordinal);

        using var server = Listen(SocketPath);
        Until.True(
            () =>
            {
                sink.Write(SampleExchange.Request());
                return sink.Written == 1;
            },
            () => string.Join('|', log));
        using var peer = server.Accept();
        Assert.Equal(42ul, Receive(peer).Number(17));
    }

    [Fact]
    public void AgentRestart_LosesNoEntryThatComesAfterIt()
    {
        using var sink = new AccessLogSocketSink(SocketPath, options, log.Enqueue);
        using (var server = Listen(SocketPath))
        {
            sink.Write(SampleExchange.Request());
            using var peer = server.Accept();
            Receive(peer);
        }

        File.Delete(SocketPath);
        using var next = Listen(SocketPath);
        sink.Write(SampleExchange.Response());
        using var nextPeer = next.Accept();

        Assert.Equal(1ul, Receive(nextPeer).Number(3));
        Assert.Equal((2, 0), (sink.Written, sink.Dropped));
    }

    [Fact]
    public void AgentThatDoesNotRead_CostsEntriesButNotTheConnection()
    {
        using var server = Listen(SocketPath);
        using var sink = new AccessLogSocketSink(SocketPath, options, log.Enqueue);
        var record = SampleExchange.Request();
        Until.True(
            () =>
            {
                record.ProxyId = (uint)sink.Written + 1;
                sink.Write(record);
                return sink.Dropped >= 1_000;
            },
            () => $"written {sink.Written}, dropped {sink.Dropped}");

        Assert.InRange(log.Count, 1, 12); // the token bucket holds the other warnings back
        using var peer = server.Accept();
        var written = sink.Written;
        for (var i = 1; i <= written; i++)
        {
            Assert.Equal((ulong)i, Receive(peer).Number(17));
        }

        record.ProxyId = 9_999_999;
        sink.Write(record);
        Assert.Equal(9_999_999ul, Receive(peer).Number(17)); // same connection
    }

    [Fact]
    public void LongEntry_FitsTheAgentsBufferAndIsCounted()
    {
        using var server = Listen(SocketPath);
        using var sink = new AccessLogSocketSink(SocketPath, options, log.Enqueue);
        var record = SampleExchange.Request();
        for (var i = 0; i < 100; i++)
        {
            ((SampleExchange)record.Http!.Request!).With($"x-{i}", new string('v', 200));
        }

        sink.Write(record);
        using var peer = server.Accept();
        var buffer = new byte[65536];
        Assert.InRange(peer.Receive(buffer), 3_800, 4_096);
        Assert.Equal(1, sink.Truncated);
    }

    [Fact]
    public void ConcurrentWriters_SendWholeEntries()
    {
        using var server = Listen(SocketPath);
        using var sink = new AccessLogSocketSink(SocketPath, options, log.Enqueue);
        var workers = Enumerable.Range(0, 4).Select(t => new Thread(() =>
        {
            var record = SampleExchange.Request();
            for (var i = 0; i < 2_000; i++)
            {
                record.ProxyId = (uint)(1 + t);
                record.SourceAddress = i.ToString(CultureInfo.InvariantCulture);
                sink.Write(record);
            }
        })).ToArray();
        Array.ForEach(workers, w => w.Start());
        using var peer = server.Accept();
        var last = new Dictionary<ulong, int>();
        var read = 0;
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (workers.Any(w => w.IsAlive) || read < sink.Written)
        {
            Assert.True(clock.Elapsed.TotalSeconds < 20, $"read {read} of {sink.Written}");
            if (peer.Poll(1_000, SelectMode.SelectRead))
            {
                var entry = Receive(peer);
                var number = int.Parse(entry.Text(7), CultureInfo.InvariantCulture);
                Assert.True(number > last.GetValueOrDefault(entry.Number(17), -1));
                last[entry.Number(17)] = number;
                read++;
            }
        }

        Assert.Equal(8_000, sink.Written + sink.Dropped);
    }

    [Fact]
    public void SamePath_IsOneClient()
    {
        using var sockets = new AccessLogSockets(options, log.Enqueue);

        Assert.Same(sockets.Get(SocketPath), sockets.Get(SocketPath));
        Assert.NotSame(sockets.Get(SocketPath), sockets.Get("@other"));
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(100_000)]
    public void MessageSizeOutOfRange_IsRefused(int size)
    {
        Assert.Throws<ArgumentException>(() => new AccessLogSocketSink(SocketPath, options with { MaxMessageSize = size }, log.Enqueue));
    }
}
