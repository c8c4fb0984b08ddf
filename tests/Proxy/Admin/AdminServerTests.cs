using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Proxy.Admin;
using Postern.Proxy.Stats;
using Postern.Xds.Discovery;

namespace Postern.Tests.Proxy.Admin;

public class AdminServerTests
{
    private const UnixFileMode OwnerAndGroup = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    [Fact]
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public async Task Socket_IsForOwnerAndGroupAndGoesWithTheServer()
    {
        string path;
        await using (var host = await AdminHost.StartAsync())
        {
            path = host.Path;
            Assert.Equal(OwnerAndGroup, File.GetUnixFileMode(path));
        }
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task StaleSocketFile_IsReplaced()
    {
        var folder = Directory.CreateTempSubdirectory("postern-admin");
        try
        {
            var path = Path.Combine(folder.FullName, "admin.sock");
            LeaveSocketFile(path);
            await using var server = Server(new UnixDomainSocketEndPoint(path));
            await server.StartAsync(CancellationToken.None);
            using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await probe.ConnectAsync(new UnixDomainSocketEndPoint(path));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task SocketOfALivingServer_IsLeftAlone()
    {
        await using var host = await AdminHost.StartAsync();
        await using var second = Server(new UnixDomainSocketEndPoint(host.Path));
        var error = await Assert.ThrowsAsync<AdminException>(() => second.StartAsync(CancellationToken.None));
        Assert.Contains("another process listens there", error.Message);
        await second.DisposeAsync();
        Assert.Equal("LIVE\n", await host.GetAsync("/ready"));
    }

    [Fact]
    public async Task FileThatIsNoSocket_IsLeftAlone()
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, "precious");
            await using var server = Server(new UnixDomainSocketEndPoint(path));
            var error = await Assert.ThrowsAsync<AdminException>(() => server.StartAsync(CancellationToken.None));
            Assert.Contains("not a socket", error.Message);
            Assert.Equal("precious", await File.ReadAllTextAsync(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("127.0.0.1", false)]
    [InlineData("0.0.0.0", true)]
    public async Task TcpAddressThatIsNotLoopback_IsWarnedOf(string address, bool warns)
    {
        await using var lines = await AdminHost.StartAsync();
        using var loggers = LoggerFactory.Create(builder => builder.AddProvider(lines).AddFilter("Microsoft", LogLevel.None));
        await using var server = new AdminServer(new IPEndPoint(IPAddress.Parse(address), 0), new FakeTarget(), new StatsRegistry(), loggers);
        await server.StartAsync(CancellationToken.None);
        var port = Assert.IsType<IPEndPoint>(server.Bound).Port;
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.Loopback, port);
        await client.SendAsync(Encoding.ASCII.GetBytes("GET /ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
        Assert.StartsWith("HTTP/1.1 200", await ReadAllAsync(client));
        Assert.Equal(warns, lines.Log.Any(line => line.StartsWith("Warning", StringComparison.Ordinal) && line.Contains("open to the network", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task ConnectionBeyondTheBound_IsClosedAndTheOthersLive()
    {
        await using var host = await AdminHost.StartAsync();
        var open = new List<Socket>();
        try
        {
            for (var i = 0; i < AdminServer.MaxConnections; i++)
            {
                var socket = await host.ConnectAsync();
                open.Add(socket);
                await AskReadyAsync(socket); // it is in: it was answered
            }
            using (var beyond = await host.ConnectAsync())
            {
                Assert.Equal("", await ReadAllAsync(beyond));
            }
            await AskReadyAsync(open[0]);
        }
        finally
        {
            open.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task StuckReaders_HoldNobodyElseUp()
    {
        await using var host = await AdminHost.StartAsync();
        host.Target.Resources = Policies(2_000);
        var stuck = new List<Socket>();
        try
        {
            for (var i = 0; i < AdminServer.MaxConnections - 2; i++)
            {
                var socket = await host.ConnectAsync();
                stuck.Add(socket);
                await socket.SendAsync(Encoding.ASCII.GetBytes("GET /config_dump HTTP/1.1\r\nHost: a\r\n\r\n"));
                var first = new byte[1];
                Assert.Equal(1, await socket.ReceiveAsync(first)); // the answer is under way, and nobody reads on
            }
            Assert.Equal("LIVE\n", await host.GetAsync("/ready"));
        }
        finally
        {
            stuck.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task LargeDump_ArrivesWhole()
    {
        await using var host = await AdminHost.StartAsync();
        host.Target.Resources = Policies(5_000);
        var clock = Stopwatch.StartNew();
        var dump = await host.GetJsonAsync("/config_dump?resource=networkpolicies");
        Assert.Equal(5_000, dump.GetProperty("configs").GetArrayLength());
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"{clock.Elapsed}");
    }

    private static List<ResourceStatus> Policies(int count)
    {
        var resources = new List<ResourceStatus>();
        for (var i = 0; i < count; i++)
        {
            var policy = new Cilium.NetworkPolicy { EndpointId = (ulong)i, EndpointIps = { $"10.0.{i / 250}.{i % 250}", new string('x', 500) } };
            resources.Add(new ResourceStatus(ResourceType.NetworkPolicy, $"{i}", ResourceState.Active, "1", FakeTarget.Epoch, [], "", Any.Pack(policy)));
        }
        return resources;
    }

    private static AdminServer Server(EndPoint address) => new(address, new FakeTarget(), new StatsRegistry(), NullLoggerFactory.Instance);

    // What a crash leaves: the file, and nobody behind it. The runtime removes the file of a socket it closes, so this one is moved away first.
    private static void LeaveSocketFile(string path)
    {
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            socket.Bind(new UnixDomainSocketEndPoint(path + ".0"));
            File.Move(path + ".0", path);
        }
        Assert.True(File.Exists(path));
    }

    private static async Task AskReadyAsync(Socket socket)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes("GET /ready HTTP/1.1\r\nHost: a\r\n\r\n"));
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var text = "";
        var buffer = new byte[4096];
        while (!text.EndsWith("LIVE\n", StringComparison.Ordinal))
        {
            var count = await socket.ReceiveAsync(buffer, deadline.Token);
            Assert.True(count > 0, "closed after: " + text);
            text += Encoding.ASCII.GetString(buffer, 0, count);
        }
    }

    private static async Task<string> ReadAllAsync(Socket socket)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var text = "";
        var buffer = new byte[4096];
        try
        {
            for (var count = await socket.ReceiveAsync(buffer, deadline.Token); count > 0; count = await socket.ReceiveAsync(buffer, deadline.Token))
            {
                text += Encoding.ASCII.GetString(buffer, 0, count);
            }
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
        }
        return text;
    }
}
