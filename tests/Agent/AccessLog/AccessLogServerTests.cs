using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Threading.Tasks;
using Cilium;
using Google.Protobuf;
using Postern.Agent.AccessLog;

namespace Postern.Tests.Agent.AccessLog;

public sealed class AccessLogServerTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("access_log").FullName;
    private readonly List<string> log = [];

    private string SocketPath => Path.Combine(folder, "access_log.sock");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Entries_AreCountedKeptAndFollowed()
    {
        await using var server = Start();
        using var follower = server.Subscribe(10);
        using var one = new ProxySocket(SocketPath);
        using var two = new ProxySocket(SocketPath);
        one.Send(ProxySocket.Entry("a"));
        await NextAsync(follower);
        two.Send(ProxySocket.Entry("a", EntryType.Denied));
        await NextAsync(follower);
        one.Send(ProxySocket.Entry("b", EntryType.Response));
        var last = await NextAsync(follower);
        Assert.Equal("/v1", last.Entry.Http.Path);
        Assert.Equal(["a", "b"], server.ReadRecent(2).Select(entry => entry.Entry.PolicyName));
        var counters = server.ReadCounters();
        Assert.Equal((2, 3, 0, 0), (counters.Connections, counters.Entries, counters.TooLong, counters.Malformed));
        Assert.Equal(new PolicyCounters(1, 0, 1), counters.ByPolicy["a"]);
        Assert.Equal(new PolicyCounters(0, 1, 0), counters.ByPolicy["b"]);
    }

    [Fact]
    public async Task BadPackets_AreCountedAndPassedOver()
    {
        await using var server = Start();
        using var follower = server.Subscribe(10);
        using var proxy = new ProxySocket(SocketPath);
        proxy.Send([0xff, 0xff, 0xff]);
        proxy.Send("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        proxy.Send(new byte[5000]);
        proxy.Send(ProxySocket.Entry());
        await NextAsync(follower);
        var counters = server.ReadCounters();
        Assert.Equal((1, 1, 2), (counters.Entries, counters.TooLong, counters.Malformed));
        Assert.Single(log);
    }

    [Fact]
    public async Task LargestPacket_IsTakenAndOneByteMoreIsNot()
    {
        await using var server = Start();
        using var follower = server.Subscribe(10);
        using var proxy = new ProxySocket(SocketPath);
        proxy.Send(OfSize(4097));
        proxy.Send(OfSize(4096));
        await NextAsync(follower);
        Assert.Equal((1, 1), (server.ReadCounters().Entries, server.ReadCounters().TooLong));
    }

    [Fact]
    public async Task SlowFollower_LosesTheOldest()
    {
        await using var server = Start();
        using var slow = server.Subscribe(2);
        using var quick = server.Subscribe(10);
        using var proxy = new ProxySocket(SocketPath);
        foreach (var policy in (string[])["a", "b", "c", "d"])
        {
            proxy.Send(ProxySocket.Entry(policy));
            await NextAsync(quick);
        }
        Assert.Equal(2, slow.Dropped);
        Assert.Equal("c", (await NextAsync(slow)).Entry.PolicyName);
        slow.Dispose();
        Assert.Equal("d", (await NextAsync(slow)).Entry.PolicyName);
        Assert.False(await slow.Reader.WaitToReadAsync());
    }

    [Fact]
    public async Task Names_AreBounded()
    {
        await using var server = Start(options => options with { MaxCountedNames = 2, RingSize = 2 });
        using var follower = server.Subscribe(10);
        using var proxy = new ProxySocket(SocketPath);
        foreach (var policy in (string[])["a", "b", "c", "d"])
        {
            proxy.Send(ProxySocket.Entry(policy));
            await NextAsync(follower);
        }
        Assert.Equal(["(others)", "a", "b"], server.ReadCounters().ByPolicy.Keys);
        Assert.Equal(["c", "d"], server.ReadRecent(100).Select(entry => entry.Entry.PolicyName));
    }

    [Fact]
    public async Task ConnectionBeyondTheLimit_IsClosed()
    {
        await using var server = Start(options => options with { MaxConnections = 1 });
        using var follower = server.Subscribe(10);
        using var first = new ProxySocket(SocketPath);
        using var second = new ProxySocket(SocketPath);
        Assert.Equal(0, await second.ReadEndAsync());
        first.Send(ProxySocket.Entry());
        await NextAsync(follower);
        Assert.Equal(1, server.ReadCounters().ConnectionsRefused);
    }

    [Fact]
    public async Task FileOfADeadAgent_IsReplaced()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified))
        {
            // The runtime removes the file of a socket that it closes, a killed process does not.
            var other = SocketPath + ".other";
            dead.Bind(new UnixDomainSocketEndPoint(other));
            File.Move(other, SocketPath);
        }
        Assert.True(Path.Exists(SocketPath));
        await using (Start())
        {
            using var proxy = new ProxySocket(SocketPath);
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite,
                new FileInfo(SocketPath).UnixFileMode);
        }
        Assert.False(Path.Exists(SocketPath));
    }

    [Fact]
    public async Task SocketOfALivingAgent_IsLeftAlone()
    {
        await using var server = Start();
        Assert.Contains("already", Assert.Throws<IOException>(() => Start()).Message);
        using var proxy = new ProxySocket(SocketPath);
    }

    [Fact]
    public void FileThatIsNoSocket_IsLeftAlone()
    {
        File.WriteAllText(SocketPath, "precious");
        Assert.Contains("in the way", Assert.Throws<IOException>(() => Start()).Message);
        Assert.Equal("precious", File.ReadAllText(SocketPath));
    }

    private AccessLogServer Start(Func<AccessLogServerOptions, AccessLogServerOptions>? change = null)
    {
        var options = new AccessLogServerOptions { Path = SocketPath, Log = log.Add };
        return AccessLogServer.Start(change?.Invoke(options) ?? options);
    }

    private static async Task<AccessLogEntry> NextAsync(AccessLogSubscription subscription) =>
        await subscription.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));

    private static byte[] OfSize(int size)
    {
        var entry = ProxySocket.Entry();
        entry.Http.Path = new string('p', 2000); // its length takes two bytes, as it will below
        entry.Http.Path = new string('p', 2000 + size - entry.CalculateSize());
        Assert.Equal(size, entry.CalculateSize());
        return entry.ToByteArray();
    }
}
