using System;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Postern.Netns.Fixture;
using Postern.Tproxy;

namespace Postern.Tests.Netns;

/// <summary>The smallest transparent proxy that Tproxy's pieces make: one connection in, one out with the client's address, bytes both ways.</summary>
internal sealed class TestRelay : IDisposable
{
    internal const ushort Port = 15001;

    private readonly NetworkNamespace _node;
    private readonly Socket _listener;
    private readonly IPEndPoint _bound;
    private readonly LoopGuard _guard;
    private readonly Thread _thread;

    internal TestRelay(NetworkNamespace node, IPAddress? address = null, ushort port = Port)
    {
        _node = node;
        _bound = new IPEndPoint(address ?? IPAddress.Loopback, port);
        (_listener, _guard) = node.Inside(() => (
            TransparentListener.Listen(new ListenerSpec(_bound) { Transparent = true, Mark = ProxyMark.Listener(ProxyDirection.Egress) }),
            new LoopGuard([_bound], HostAddresses.Read())));
        _thread = new Thread(() => node.Inside(AcceptLoop)) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>What was seen, in order of acceptance.</summary>
    internal ConcurrentQueue<(IPEndPoint Original, EndPoint Client, LoopVerdict Verdict)> Seen { get; } = new();

    /// <summary>Set to keep the client's address upstream; else the kernel chooses.</summary>
    internal bool KeepSource { get; init; } = true;

    public void Dispose()
    {
        _listener.Dispose();
        _thread.Join(TimeSpan.FromSeconds(5));
    }

    private void AcceptLoop()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = _listener.Accept();
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                return;
            }

            Assert.Equal(SocketError.Success, AcceptedSocket.Prepare(client));
            var original = OriginalDestination.Of(client, _bound);
            var verdict = _guard.Accepted(original, _bound);
            Seen.Enqueue((original, client.RemoteEndPoint!, verdict));
            if (verdict != LoopVerdict.Clear || _guard.Connecting(original) != LoopVerdict.Clear)
            {
                client.Close(0);
                continue;
            }

            try
            {
                var source = KeepSource ? ((IPEndPoint)client.RemoteEndPoint!).Address : null;
                var upstream = UpstreamSocket.Create(new UpstreamSpec(original) { Source = source, Mark = ProxyMark.For(ProxyDirection.Egress, 0x1234) });
                upstream.Connect(original);
                _ = Task.WhenAll(Pump(client, upstream), Pump(upstream, client));
            }
            catch (SocketException)
            {
                client.Close(0);
            }
        }
    }

    private static async Task Pump(Socket from, Socket to)
    {
        var buffer = new byte[4096];
        try
        {
            int count;
            while ((count = await from.ReceiveAsync(buffer)) > 0)
            {
                await to.SendAsync(buffer.AsMemory(0, count));
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            to.Close(0);
        }
        catch (ObjectDisposedException)
        {
        }
    }
}
