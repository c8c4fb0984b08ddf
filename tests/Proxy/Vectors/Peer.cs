using System;
using System.IO;
using System.Net.Security;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Tls;
using Postern.Tests.Proxy.Tls;

namespace Postern.Tests.Proxy.Vectors;

/// <summary>One end of a replayed connection, with TLS or without: reads in the background unless told to stop, and keeps all it got.</summary>
internal sealed class Peer : IDisposable
{
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(20);

    private readonly Lock gate = new();
    private readonly MemoryStream received = new();
    private volatile Stream? stream;
    private TaskCompletionSource? pause; // set: reading waits for it
    private Task reading = Task.CompletedTask;
    private Task writes = Task.CompletedTask;
    private volatile bool ended;
    private volatile bool reset;
    private volatile Exception? failure;
    private int taken;

    /// <summary>The other side said that nothing follows.</summary>
    public bool Ended => ended;

    /// <summary>The connection was cut.</summary>
    public bool Reset => reset;

    /// <summary>What went wrong here that no other side can be the reason of.</summary>
    public Exception? Failure => failure;

    public bool IsConnected => stream is not null;

    /// <summary>Its handshake is over.</summary>
    public bool IsAuthenticated => stream is SslStream { IsAuthenticated: true };

    /// <summary>Bytes received since the start.</summary>
    public int Total
    {
        get
        {
            lock (gate)
            {
                return (int)received.Length;
            }
        }
    }

    /// <summary>Begins to read.</summary>
    public void Use(Stream connected)
    {
        stream = connected;
        reading = ReadAsync(connected);
    }

    /// <summary>What was received and not yet taken.</summary>
    public byte[] Rest()
    {
        lock (gate)
        {
            return received.GetBuffer().AsSpan(taken, (int)received.Length - taken).ToArray();
        }
    }

    /// <summary>How what was not yet taken begins.</summary>
    public bool StartsWith(ReadOnlySpan<byte> expected)
    {
        lock (gate)
        {
            return received.GetBuffer().AsSpan(taken, (int)received.Length - taken).StartsWith(expected);
        }
    }

    /// <summary>All since the start.</summary>
    public bool IsAll(ReadOnlySpan<byte> expected)
    {
        lock (gate)
        {
            return received.GetBuffer().AsSpan(0, (int)received.Length).SequenceEqual(expected);
        }
    }

    public void Take(int count) => taken += count;

    /// <summary>No read begins any more. One that is pending may still take a buffer's worth.</summary>
    public void Stop()
    {
        lock (gate)
        {
            pause ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public void Resume()
    {
        lock (gate)
        {
            pause?.SetResult();
            pause = null;
        }
    }

    /// <summary>Sends behind what was sent before; does not wait for it.</summary>
    public void Write(byte[] bytes) => Then(async connected => await connected.WriteAsync(bytes));

    /// <summary>close_notify, or a FIN where there is no TLS.</summary>
    public void HalfClose() => Then(EndAsync);

    // Closing under a pending read, or over unread bytes, would send a reset.
    public void Close() => Then(async connected =>
    {
        await EndAsync(connected);
        TlsRig.SocketOf(connected).Shutdown(SocketShutdown.Both);
        Resume();
        await reading.WaitAsync(CloseTime);
        connected.Close();
    });

    public void Dispose() => stream?.Dispose();

    public override string ToString()
    {
        var rest = Rest();
        return $"{(IsConnected ? "connected" : "not connected")}, received {Total}, taken {taken}, ended {Ended}, reset {Reset}: {Convert.ToHexString(rest.AsSpan(0, Math.Min(80, rest.Length)))}";
    }

    private static async Task EndAsync(Stream connected)
    {
        if (connected is SecureStream secure)
        {
            await secure.EndAsync();
        }
        else
        {
            TlsRig.SocketOf(connected).Shutdown(SocketShutdown.Send);
        }
    }

    private void Then(Func<Stream, Task> action)
    {
        var before = writes;
        writes = RunAsync();
        async Task RunAsync()
        {
            await before;
            await GuardAsync(() => action(stream ?? throw new InvalidOperationException("nothing is connected")));
        }
    }

    private Task ReadAsync(Stream connected) => GuardAsync(async () =>
    {
        var buffer = new byte[64 * 1024];
        while (true)
        {
            await WhenMayReadAsync();
            var count = await connected.ReadAsync(buffer);
            if (count == 0)
            {
                ended = true;
                return;
            }
            lock (gate)
            {
                received.Write(buffer, 0, count);
            }
        }
    });

    private Task WhenMayReadAsync()
    {
        lock (gate)
        {
            return pause?.Task ?? Task.CompletedTask;
        }
    }

    // Nobody awaits these flows: what is not the connection's end must not be lost.
    private async Task GuardAsync(Func<Task> flow)
    {
        try
        {
            await flow();
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            reset = true;
        }
        catch (Exception e)
        {
            failure ??= e;
        }
    }
}
