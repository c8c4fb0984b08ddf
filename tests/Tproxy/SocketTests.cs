using System;
using System.Net;
using System.Net.Sockets;
using Postern.Tproxy;
using Postern.Tproxy.Native;

namespace Postern.Tests.Tproxy;

/// <summary>Sockets on loopback that need no capability.</summary>
public sealed class SocketTests
{
    private static readonly ListenerSpec Anywhere = new(new IPEndPoint(IPAddress.Loopback, 0));

    [Fact]
    public void PlainListener_ReusesAddressAndNotPort()
    {
        using var listener = TransparentListener.Listen(Anywhere);

        Assert.Equal(1, SocketOption.Get(listener, SocketOption.SolSocket, SocketOption.SoReuseAddr));
        Assert.Equal(0, SocketOption.Get(listener, SocketOption.SolSocket, SocketOption.SoReusePort));
    }

    [Fact]
    public void ReusePort_SeveralListenersShareAPort()
    {
        using var first = TransparentListener.Listen(Anywhere with { ReusePort = true });
        var port = (IPEndPoint)first.LocalEndPoint!;
        using var second = TransparentListener.Listen(new ListenerSpec(port) { ReusePort = true });

        Assert.Equal(port, second.LocalEndPoint);
    }

    [Fact]
    public void Ipv6Wildcard_LeavesThePortFreeForIpv4()
    {
        using var six = TransparentListener.Listen(new ListenerSpec(new IPEndPoint(IPAddress.IPv6Any, 0)));
        using var four = TransparentListener.Listen(new ListenerSpec(new IPEndPoint(IPAddress.Any, ((IPEndPoint)six.LocalEndPoint!).Port)));

        Assert.Equal(1, SocketOption.Get(six, SocketOption.SolIpv6, SocketOption.Ipv6V6Only));
    }

    [Fact]
    public void PortInUse_ErrorNamesAddressAndHolder()
    {
        using var first = TransparentListener.Listen(Anywhere);
        var taken = (IPEndPoint)first.LocalEndPoint!;

        var error = Assert.Throws<TproxyException>(() => TransparentListener.Listen(new ListenerSpec(taken)));

        Assert.Equal(SocketError.AddressAlreadyInUse, error.SocketError);
        Assert.Contains(taken.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Contains($"pid {Environment.ProcessId}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddressOfAnotherHost_ErrorSaysHowToBindIt()
    {
        var error = Assert.Throws<TproxyException>(() => TransparentListener.Listen(new ListenerSpec(IPEndPoint.Parse("203.0.113.7:0"))));

        Assert.Contains("no interface of this host has that address", error.Message, StringComparison.Ordinal);
        Assert.Contains("make the listener transparent", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MappedAddress_IsRefused() =>
        Assert.Contains("write 127.0.0.1", Assert.Throws<TproxyException>(() => TransparentListener.Bind(new ListenerSpec(IPEndPoint.Parse("[::ffff:127.0.0.1]:0")))).Message, StringComparison.Ordinal);

    [Fact]
    public void AcceptedSocket_GetsKeepAliveAndNoDelay()
    {
        using var listener = TransparentListener.Listen(Anywhere);
        using var upstream = UpstreamSocket.Create(new UpstreamSpec((IPEndPoint)listener.LocalEndPoint!) { LingerSeconds = 0 });
        upstream.Connect(listener.LocalEndPoint!);
        using var accepted = listener.Accept();

        Assert.Equal(SocketError.Success, AcceptedSocket.Prepare(accepted));

        Assert.Equal(1, (int)accepted.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive)!);
        Assert.Equal(300, SocketOption.Get(accepted, SocketOption.SolTcp, SocketOption.TcpKeepIdle));
        Assert.Equal(300, SocketOption.Get(accepted, SocketOption.SolTcp, SocketOption.TcpKeepIntvl));
        Assert.True(accepted.NoDelay);
        Assert.True(upstream.NoDelay);
        Assert.Equal(new LingerOption(true, 0).Enabled, upstream.LingerState!.Enabled);
        Assert.Equal((IPEndPoint)listener.LocalEndPoint!, OriginalDestination.Of(accepted, (IPEndPoint)listener.LocalEndPoint!));
    }

    [Fact]
    public void ClosedSocket_PrepareTellsAndDoesNotThrow()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Dispose();

        Assert.Equal(SocketError.OperationAborted, AcceptedSocket.Prepare(socket));
    }

    [Fact]
    public void LingerOutOfRange_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => UpstreamSocket.Create(new UpstreamSpec(IPEndPoint.Parse("127.0.0.1:1")) { LingerSeconds = 65536 }));

    [Fact]
    public void SockAddr_SizesAndLayoutAreTheKernels()
    {
        Assert.Equal(16, OriginalDestination.SockAddrInSize);
        Assert.Equal(28, OriginalDestination.SockAddrIn6Size);
        foreach (var text in new[] { "10.1.2.3:513", "[fd00::1:2]:513" })
        {
            // The runtime's own SocketAddress is the kernel's layout.
            var wire = IPEndPoint.Parse(text).Serialize();
            Assert.Equal(IPEndPoint.Parse(text), OriginalDestination.ReadSockAddr(wire.Buffer.Span[..wire.Size]));
            Assert.Null(OriginalDestination.ReadSockAddr(wire.Buffer.Span[..15]));
        }
    }
}
