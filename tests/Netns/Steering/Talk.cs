using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Steering;

/// <summary>A TCP connection that says a number, hears it again, and goes on with the next, until it is ended or breaks.</summary>
internal sealed class Talk : IDisposable
{
    // A few connections that never pause would be all that the machine does.
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(5);

    private readonly Socket _socket;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _stop = new();
    private volatile string? _broken;
    private int _rounds;

    internal Talk(NetworkNamespace from, IPAddress address, int port)
    {
        _socket = from.Inside(() =>
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 30_000 };
            socket.Connect(address, port);
            return socket;
        });
        _thread = new Thread(Go) { IsBackground = true };
        _thread.Start();
        Further(1);
    }

    /// <summary>How it broke, or null.</summary>
    internal string? Broken => _broken;

    /// <summary>Sends bytes that nobody waits for: for a connection that is to break.</summary>
    /// <returns>Whether it was broken.</returns>
    internal bool SayMore()
    {
        try
        {
            _socket.Send(new byte[4]);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    /// <summary>Waits until that many more answers have come.</summary>
    internal void Further(int rounds) => Further([this], rounds);

    /// <summary>Waits until that many more answers have come in each.</summary>
    internal static void Further(IReadOnlyList<Talk> talks, int rounds)
    {
        var wanted = new int[talks.Count];
        for (var i = 0; i < wanted.Length; i++)
        {
            wanted[i] = Volatile.Read(ref talks[i]._rounds) + rounds;
        }

        for (var i = 0; i < wanted.Length; i++)
        {
            var (talk, count) = (talks[i], wanted[i]);
            Wait.Until(() => talk._broken is not null || Volatile.Read(ref talk._rounds) >= count, () => $"{talk._rounds} answers, {count} were to come");
        }
    }

    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _socket.Dispose();
        _stop.Dispose();
    }

    private void Go()
    {
        var buffer = new byte[4];
        try
        {
            for (var i = 0; !_stop.Wait(Pace); i++)
            {
                _socket.Send(BitConverter.GetBytes(i));
                for (var got = 0; got < 4;)
                {
                    var count = _socket.Receive(buffer, got, 4 - got, SocketFlags.None);
                    if (count == 0)
                    {
                        _broken = "ended";
                        return;
                    }

                    got += count;
                }

                if (BitConverter.ToInt32(buffer) != i)
                {
                    _broken = "another number came back";
                    return;
                }

                Interlocked.Increment(ref _rounds);
            }
        }
        catch (SocketException error)
        {
            _broken = error.SocketErrorCode.ToString();
        }
    }
}
