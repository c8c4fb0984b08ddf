using System;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Proxy.Http;
using Postern.Proxy.Listeners;
using Postern.Proxy.Upstream;

namespace Postern.Tests.Proxy.Discovery;

/// <summary>Real sockets behind a played control plane: what becomes of a connection that is open.</summary>
public sealed class OpenConnectionTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Socket origin = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ListenerManager manager;
    private readonly DiscoveryRig rig;
    private readonly string folder = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "postern-" + System.IO.Path.GetRandomFileName());

    public OpenConnectionTests()
    {
        var connector = new UpstreamConnector();
        var pipeline = new ConnectionPipeline(new HttpEngine(NullLoggerFactory.Instance), connector, NullLogger.Instance);
        manager = new ListenerManager(pipeline, connector, new Admission(100), TimeSpan.Zero, NullLogger.Instance);
        rig = new DiscoveryRig(host: manager);
        origin.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        origin.Listen();
    }

    public void Dispose()
    {
        rig.Dispose();
        manager.DrainAll();
        manager.Dispose();
        origin.Dispose();
        if (System.IO.Directory.Exists(folder))
        {
            System.IO.Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task EqualUpdatesOfEverything_LeaveItOpenAndAChangeDrainsIt()
    {
        var port = ((IPEndPoint)origin.LocalEndPoint!).Port;
        rig.Plane.Send("CDS", Make.Eds("echo"));
        rig.Plane.Send("EDS echo", Make.Endpoints("echo", port));
        Assert.Empty(rig.Plane.Send("LDS", Make.Tcp("a", 0, "echo")));
        using var client = await ConnectAsync();
        using var server = await origin.AcceptAsync(Deadline());
        await PassAsync(client, server);

        rig.Plane.Find("CDS").Send("2", Make.Eds("echo"));
        rig.Plane.Find("EDS echo").Send("2", Make.Endpoints("echo", port));
        Assert.Empty(rig.Plane.Find("LDS").Send("2", Make.Tcp("a", 0, "echo")));
        await PassAsync(client, server);
        rig.Plane.Send("CDS", Make.Eds("echo", seconds: 9));
        await PassAsync(client, server);

        rig.Plane.Send("LDS", Make.Tcp("a", 0, "echo", backlog: 5));
        // Its drain time is over at once, so the next sweep cuts it.
        var error = await Record.ExceptionAsync(async () => Assert.Equal(0, await client.ReceiveAsync(new byte[1], SocketFlags.None, Deadline())));
        Assert.True(error is null or SocketException, error?.ToString());
    }

    [Fact]
    public async Task EndpointIsAUnixSocket_BytesGoThere()
    {
        System.IO.Directory.CreateDirectory(folder);
        var address = new UnixDomainSocketEndPoint(System.IO.Path.Combine(folder, "origin.sock"));
        using var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        unix.Bind(address);
        unix.Listen();
        rig.Plane.Send("CDS", ("echo", new Postern.Xds.Config.ClusterConfig("echo", Postern.Xds.Config.ClusterType.Static, Patience, [address])));
        Assert.Empty(rig.Plane.Send("LDS", Make.Tcp("a", 0, "echo")));

        using var client = await ConnectAsync();
        using var server = await unix.AcceptAsync(Deadline());

        await PassAsync(client, server);
    }

    private static CancellationToken Deadline() => new CancellationTokenSource(Patience).Token;

    private async Task<Socket> ConnectAsync()
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(manager.Listening.Single().Address, Deadline());
        await client.SendAsync("first"u8.ToArray(), SocketFlags.None, Deadline());
        return client;
    }

    private static async Task PassAsync(Socket client, Socket server)
    {
        await client.SendAsync("!"u8.ToArray(), SocketFlags.None, Deadline());
        var seen = new byte[1];
        while (seen[0] != '!')
        {
            Assert.Equal(1, await server.ReceiveAsync(seen, SocketFlags.None, Deadline()));
        }
        await server.SendAsync("?"u8.ToArray(), SocketFlags.None, Deadline());
        Assert.Equal(1, await client.ReceiveAsync(seen, SocketFlags.None, Deadline()));
    }
}
