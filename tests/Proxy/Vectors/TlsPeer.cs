using System;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Tls;

namespace Postern.Tests.Proxy.Vectors;

/// <summary>One end of a replayed connection, with TLS or without: reads in the background unless told to stop, and keeps what it got.</summary>
internal sealed class TlsPeer(Stream stream) : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly MemoryStream received = new();
    private readonly SemaphoreSlim mayRead = new(1, 1);
    private Task reading = Task.CompletedTask;
    private Task writes = Task.CompletedTask;
    private bool stopped;
    private int taken;

    public Stream Stream => stream;

    /// <summary>The other side said that nothing follows.</summary>
    public bool Ended { get; private set; }

    /// <summary>The connection was cut.</summary>
    public bool Reset { get; private set; }

    public TlsPeer Start()
    {
        reading = ReadAsync();
        return this;
    }

    public bool StartsWith(ReadOnlySpan<byte> expected)
    {
        lock (gate)
        {
            return received.GetBuffer().AsSpan(taken, (int)received.Length - taken).StartsWith(expected);
        }
    }

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
    public void Write(byte[] bytes) => Then(async () => await stream.WriteAsync(bytes));

    /// <summary>close_notify, or a FIN where there is no TLS.</summary>
    public void HalfClose() => Then(ShutdownAsync);

    public void Close() => Then(async () =>
    {
        await ShutdownAsync();
        Resume();
        await Task.WhenAny(reading, Task.Delay(1000)); // closing under unread bytes would be a reset
        stream.Close();
    });

    public async ValueTask DisposeAsync() => await stream.DisposeAsync();

    public override string ToString() => $"received {received.Length}, taken {taken}, ended {Ended}, reset {Reset}";

    private async Task ShutdownAsync()
    {
        if (stream is SecureStream secure)
        {
            await secure.EndAsync();
        }
        else
        {
            ((NetworkStream)stream).Socket.Shutdown(SocketShutdown.Send);
        }
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
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
            {
                Reset = true;
            }
        }
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                await mayRead.WaitAsync();
                mayRead.Release();
                var count = await stream.ReadAsync(buffer);
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
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            Reset = true;
        }
    }
}
