using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Steering;

/// <summary>A client that sends SYNs and datagrams from ever new ports until it is disposed, whatever becomes of them.</summary>
internal sealed class Hammer : IDisposable
{
    private readonly Thread _thread;
    private volatile bool _stop;
    private int _blows;

    internal Hammer(NetworkNamespace from, IPAddress address, int port)
    {
        _thread = new Thread(() => from.Inside(() => Strike(new IPEndPoint(address, port)))) { IsBackground = true };
        _thread.Start();
        More(10);
    }

    /// <summary>Waits for so many more of each.</summary>
    internal void More(int blows)
    {
        var wanted = Volatile.Read(ref _blows) + blows;
        Wait.Until(() => Volatile.Read(ref _blows) >= wanted, () => $"{_blows} sent, {wanted} were to be");
    }

    public void Dispose()
    {
        _stop = true;
        _thread.Join();
    }

    private void Strike(IPEndPoint target)
    {
        while (!_stop)
        {
            using var syn = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            using var datagram = new Socket(target.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                datagram.SendTo("blow"u8, target);
                syn.Connect(target);
            }
            catch (SocketException)
            {
                // The connection has begun; it is given up at once or as soon as something comes.
            }

            syn.Poll(TimeSpan.FromMilliseconds(2), SelectMode.SelectWrite);
            Interlocked.Increment(ref _blows);
        }
    }
}
