using System;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Tests.Proxy.Vectors;

/// <summary>One end of a replayed connection: reads in the background unless told to stop, and keeps all it got.</summary>
internal sealed class Peer : IDisposable
{
    private readonly Lock gate = new();
    private readonly MemoryStream received = new();
    private readonly SemaphoreSlim mayRead = new(1, 1);
    private Socket? socket;
    private Task reading = Task.CompletedTask;
    private Task writes = Task.CompletedTask;
    private bool stopped;
    private int taken;

    /// <summary>The other side said that nothing follows.</summary>
    public bool Ended { get; private set; }

    /// <summary>The connection was cut.</summary>
    public bool Reset { get; private set; }

    public bool HasSocket => socket is not null;

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

    public void Use(Socket connected)
    {
        socket = connected;
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

    /// <summary>How much that is; the start of it.</summary>
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

    public void Stop()
    {
        stopped = true;
        mayRead.Wait(0);
    }

    public void Resume()
    {
        if (stopped)
        {
            stopped = false;
            mayRead.Release();
        }
    }

    /// <summary>Sends behind what was sent before; does not wait for it.</summary>
    public void Write(byte[] bytes) => Then(async () =>
    {
        for (var sent = 0; sent < bytes.Length;)
        {
            sent += await socket!.SendAsync(bytes.AsMemory(sent), SocketFlags.None);
        }
    });

    public void HalfClose() => Then(() =>
    {
        socket!.Shutdown(SocketShutdown.Send);
        return Task.CompletedTask;
    });

    // Closing under a pending read would send a reset.
    public void Close() => Then(async () =>
    {
        socket!.Shutdown(SocketShutdown.Both);
        Resume();
        await reading;
        socket.Close();
    });

    public void Dispose() => socket?.Dispose();

    public override string ToString()
    {
        var rest = Rest();
        return $"{(HasSocket ? "connected" : "not connected")}, received {Total}, taken {taken}, ended {Ended}, reset {Reset}: {Convert.ToHexString(rest.AsSpan(0, Math.Min(80, rest.Length)))}";
    }

    private void Then(Func<Task> action)
    {
        var before = writes;
        writes = RunAsync();
        async Task RunAsync()
        {
            await before;
            try
            {
                await action();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                Reset = true;
            }
        }
    }

    private async Task ReadAsync(Socket connected)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                await mayRead.WaitAsync();
                mayRead.Release();
                var count = await connected.ReceiveAsync(buffer.AsMemory(), SocketFlags.None);
                if (count == 0)
                {
                    Ended = true;
                    return;
                }
                lock (gate)
                {
                    received.Write(buffer, 0, count);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Reset = true;
        }
    }
}
