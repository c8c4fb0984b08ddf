using System;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Postern.Netns.Fixture;
using Postern.Tproxy;

namespace Postern.Tests.Netns.Steering;

/// <summary>A TCP server that sends back what it gets, on many connections at once.</summary>
internal sealed class ManyEcho : IDisposable
{
    private readonly Socket _listener;
    private readonly Task _serving;

    internal ManyEcho(NetworkNamespace where, IPAddress address, int port)
    {
        _listener = where.Inside(() => TransparentListener.Listen(new ListenerSpec(new IPEndPoint(address, port))));
        _serving = Serve();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _serving.Wait(TimeSpan.FromSeconds(5));
    }

    private async Task Serve()
    {
        try
        {
            while (true)
            {
                _ = Echo(await _listener.AcceptAsync());
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
        }
    }

    private static async Task Echo(Socket client)
    {
        using (client)
        {
            var buffer = new byte[256];
            try
            {
                int count;
                while ((count = await client.ReceiveAsync(buffer)) > 0)
                {
                    await client.SendAsync(buffer.AsMemory(0, count));
                }
            }
            catch (SocketException)
            {
                // The test cuts connections.
            }
        }
    }
}
