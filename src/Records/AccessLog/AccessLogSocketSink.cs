using System;
using System.Net.Sockets;
using System.Threading;

namespace Postern.Records.AccessLog;

/// <summary>
/// Client of the agent's access-log socket: AF_UNIX, SOCK_SEQPACKET, one <c>cilium.LogEntry</c> per packet. Sends on the caller's thread,
/// non-blocking: the kernel's socket buffer is the queue, which keeps entries in order, costs one system call and loses nothing in a crash of
/// the proxy. When it is full the entry is dropped and the connection kept (docs/decisions/0005). Connects when the first entry comes; a lost
/// connection is tried anew once for the same entry, then at most every <see cref="AccessLogOptions.ReconnectInterval"/>.
/// Shared by all listeners with the same path: get it from <see cref="AccessLogSockets"/>.
/// </summary>
public sealed class AccessLogSocketSink : IRecordSink, IDisposable
{
    [ThreadStatic]
    private static byte[]? scratch;

    private readonly string path;
    private readonly AccessLogOptions options;
    private readonly Action<string> log;
    private readonly Lock gate = new();
    private readonly TokenBucket warnings = new(burst: 10, refillMillis: 1000); // guarded by gate; upstream's numbers
    private volatile Socket? socket; // replaced under gate, read without
    private long nextConnect;        // Environment.TickCount64 before which nobody connects; guarded by gate, read without as a hint
    private bool disposed;           // guarded by gate
    private long written;            // interlocked, as those below
    private long dropped;
    private long bytes;
    private long truncated;

    /// <summary>Creates it without connecting.</summary>
    /// <param name="path">Socket path; a leading "@" means the abstract namespace.</param>
    /// <param name="options">Limits.</param>
    /// <param name="log">Gets warnings, at most ten at once and then one a second. Called on data-path threads: must be quick.</param>
    public AccessLogSocketSink(string path, AccessLogOptions options, Action<string> log)
    {
        options.Validate();
        this.path = path;
        this.options = options;
        this.log = log;
        nextConnect = long.MinValue;
    }

    /// <inheritdoc/>
    public string Name => "access_log";

    /// <inheritdoc/>
    public long Written => Interlocked.Read(ref written);

    /// <inheritdoc/>
    public long Dropped => Interlocked.Read(ref dropped);

    /// <inheritdoc/>
    public long Bytes => Interlocked.Read(ref bytes);

    /// <summary>Entries that were shortened to <see cref="AccessLogOptions.MaxMessageSize"/>.</summary>
    public long Truncated => Interlocked.Read(ref truncated);

    /// <inheritdoc/>
    public void Write(VisibilityRecord record)
    {
        var buffer = scratch;
        if (buffer is null || buffer.Length < options.MaxMessageSize)
        {
            scratch = buffer = new byte[options.MaxMessageSize];
        }

        // With nobody listening the entry need not be made.
        if (socket is null && Environment.TickCount64 < Volatile.Read(ref nextConnect))
        {
            Interlocked.Increment(ref dropped);
            return;
        }

        var size = LogEntryEncoder.Encode(record, buffer.AsSpan(0, options.MaxMessageSize), out var wasCut);
        if (!TrySend(buffer.AsSpan(0, size)))
        {
            Interlocked.Increment(ref dropped);
            return;
        }

        Interlocked.Increment(ref written);
        Interlocked.Add(ref bytes, size);
        if (wasCut)
        {
            Interlocked.Increment(ref truncated);
        }
    }

    /// <summary>Closes the connection; later entries are dropped.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            socket?.Dispose();
            socket = null;
        }
    }

    // Two tries, as upstream: the first may meet the connection of an agent that is gone.
    private bool TrySend(ReadOnlySpan<byte> entry)
    {
        for (var attempt = 0; attempt < 2; attempt++)
        {
            var current = socket ?? Connect();
            if (current is null)
            {
                return false;
            }

            var error = Send(current, entry);
            switch (error)
            {
                case SocketError.Success:
                    return true;

                case SocketError.WouldBlock or SocketError.NoBufferSpaceAvailable:
                    if (MayWarn(out var kept))
                    {
                        log(Counted($"access log {path}: the agent does not keep up, its socket buffer is full; entries are dropped", kept));
                    }

                    return false;

                case SocketError.MessageSize:
                    if (MayWarn(out kept))
                    {
                        log(Counted($"access log {path}: an entry of {entry.Length} bytes is too long for the socket; lower max_message_size", kept));
                    }

                    return false;

                default:
                    Drop(current, error);
                    break;
            }
        }

        return false;
    }

    private static SocketError Send(Socket socket, ReadOnlySpan<byte> entry)
    {
        try
        {
            // A packet goes whole or not at all on SOCK_SEQPACKET, so MSG_EOR adds nothing on AF_UNIX; the runtime ignores SIGPIPE.
            socket.Send(entry, SocketFlags.None, out var error);
            return error;
        }
        catch (ObjectDisposedException)
        {
            return SocketError.Shutdown; // another thread met the error first
        }
    }

    private Socket? Connect()
    {
        lock (gate)
        {
            if (socket is { } there)
            {
                return there;
            }

            var now = Environment.TickCount64;
            if (disposed || now < nextConnect)
            {
                return null;
            }

            var fresh = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified) { Blocking = false };
            try
            {
                // connect(2) on a non-blocking AF_UNIX socket completes or fails at once (EAGAIN when the agent's backlog is full).
                fresh.Connect(UnixPath.EndPointOf(path));
                socket = fresh;
                return fresh;
            }
            catch (Exception e) when (e is SocketException or ArgumentException)
            {
                fresh.Dispose();
                Volatile.Write(ref nextConnect, now + (long)options.ReconnectInterval.TotalMilliseconds);
                WarnLocked($"access log {path}: cannot connect: {e.Message}; does the agent run, and is access_log_path its socket? Entries are dropped, next try in {options.ReconnectInterval.TotalSeconds:0.#} s");
                return null;
            }
        }
    }

    private void Drop(Socket broken, SocketError error)
    {
        lock (gate)
        {
            if (!ReferenceEquals(socket, broken))
            {
                return;
            }

            socket = null;
            broken.Dispose();
            WarnLocked($"access log {path}: connection lost ({error}); connecting again");
        }
    }

    // Asked before the text is made: a full socket must not cost an allocation per entry.
    private bool MayWarn(out long suppressed)
    {
        lock (gate)
        {
            return warnings.TryTake(out suppressed);
        }
    }

    private void WarnLocked(string text)
    {
        if (warnings.TryTake(out var suppressed))
        {
            log(Counted(text, suppressed));
        }
    }

    private static string Counted(string text, long suppressed) => suppressed == 0 ? text : $"{text} ({suppressed} warnings not shown)";
}
