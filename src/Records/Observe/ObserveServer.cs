using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using Postern.Records.Json;

namespace Postern.Records.Observe;

/// <summary>
/// Publishes live JSON lines on a unix stream socket to any number of observers (<c>postern observe</c>, or <c>socat</c>). The data path only
/// copies a line into a bounded ring; one background thread serves all observers with non-blocking sends. An observer that falls behind by more
/// than the ring holds gets a line <c>{"lost_records":N}</c> in place of what it missed. Each first gets the last records, then
/// <c>{"replay_end":true}</c>, then live ones.
/// </summary>
public sealed class ObserveServer : ILineOutput, IDisposable
{
    private const int IdleWaitMicros = 250_000; // how often the thread looks for the end while nobody observes

    private readonly ObserveServerOptions options;
    private readonly Action<string> log;
    private readonly LineRing ring;
    private readonly Socket listener;
    private readonly Thread thread;
    private readonly List<ObserveConnection> observers = []; // owned by the thread
    private readonly ManualResetEventSlim stop = new();
    private readonly TokenBucket warnings = new(burst: 3, refillMillis: 10_000); // owned by the thread
    private volatile int observing;
    private long written; // interlocked, as those below
    private long bytes;
    private long dropped;

    /// <summary>Binds the socket (mode 0660, a stale file is replaced) and starts the thread.</summary>
    /// <exception cref="RecordSinkException">The socket cannot be bound, or another process listens on it.</exception>
    public ObserveServer(ObserveServerOptions options, Action<string> log)
    {
        this.options = options;
        this.log = log;
        ring = new LineRing(options.MaxRecords, options.MaxBytes);
        listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            Bind();
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            listener.Dispose();
            throw new RecordSinkException($"cannot listen for observers on '{options.Path}': {e.Message} Does its folder exist, and does no other proxy use the path?", e);
        }

        thread = new Thread(Run) { IsBackground = true, Name = "postern-observe" };
        thread.Start();
    }

    /// <inheritdoc/>
    public bool IsListening => options.ReplayRecords > 0 || observing > 0;

    /// <summary>Observers connected now.</summary>
    public int Observers => observing;

    /// <inheritdoc/>
    public long Written => Interlocked.Read(ref written);

    /// <summary>Lines too long for the ring, and lines observers missed because they were slow.</summary>
    public long Dropped => Interlocked.Read(ref dropped);

    /// <inheritdoc/>
    public long Bytes => Interlocked.Read(ref bytes);

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> line)
    {
        // A line must also fit the buffer it is sent from, or its observer would never get past it.
        if (line.Length > JsonRecordOptions.LargestRecordBytes || !ring.Add(line))
        {
            Interlocked.Increment(ref dropped);
            return;
        }

        Interlocked.Increment(ref written);
        Interlocked.Add(ref bytes, line.Length);
    }

    /// <summary>Sends what observers take at once, disconnects them and removes the socket file.</summary>
    public void Dispose()
    {
        if (stop.IsSet)
        {
            return;
        }

        stop.Set();
        if (thread.Join(TimeSpan.FromSeconds(2)))
        {
            listener.Dispose();
        }

        if (!UnixPath.IsAbstract(options.Path) && File.Exists(options.Path))
        {
            File.Delete(options.Path);
        }
    }

    private void Bind()
    {
        var file = !UnixPath.IsAbstract(options.Path);
        if (file && File.Exists(options.Path))
        {
            if (new FileInfo(options.Path).Length != 0)
            {
                throw new IOException("the path is a file with content, not a socket.");
            }

            // A socket with nobody behind it is what a crash leaves; a living server is not pushed aside.
            using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                probe.Connect(UnixPath.EndPointOf(options.Path));
                throw new IOException("another process listens there.");
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
            {
                File.Delete(options.Path);
            }
        }

        listener.Bind(UnixPath.EndPointOf(options.Path));
        if (file && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(options.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);
        }

        listener.Listen(16);
        listener.Blocking = false;
    }

    private void Run()
    {
        while (!stop.IsSet)
        {
            try
            {
                var wait = observers.Count == 0 ? IdleWaitMicros : (int)options.Interval.TotalMicroseconds;
                if (listener.Poll(wait, SelectMode.SelectRead))
                {
                    Accept();
                }

                Pump();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Out of descriptors, most likely: the connection stays pending, so without a pause this would spin.
                if (warnings.TryTake(out _))
                {
                    log($"observe socket {options.Path}: {e.Message}");
                }

                stop.Wait(TimeSpan.FromSeconds(1));
            }
        }

        Pump();
        observers.ForEach(observer => observer.Dispose());
        observers.Clear();
        observing = 0;
    }

    private void Accept()
    {
        Socket socket;
        try
        {
            socket = listener.Accept();
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.ConnectionAborted)
        {
            return; // it went away again
        }

        if (observers.Count >= options.MaxObservers)
        {
            socket.Blocking = false;
            socket.Send("{\"error\":\"too many observers\"}\n"u8, SocketFlags.None, out _);
            socket.Dispose();
            return;
        }

        observers.Add(new ObserveConnection(socket, ring, options.ReplayRecords));
        observing = observers.Count;
    }

    private void Pump()
    {
        for (var i = observers.Count - 1; i >= 0; i--)
        {
            var before = observers[i].Lost;
            var there = observers[i].Pump();
            Interlocked.Add(ref dropped, observers[i].Lost - before);
            if (!there)
            {
                observers[i].Dispose();
                observers.RemoveAt(i);
                observing = observers.Count;
            }
        }
    }
}
