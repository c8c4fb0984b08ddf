using System;
using System.Buffers;
using System.Collections.Generic;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Postern.Filters.Listener;

namespace Postern.Proxy.Listeners;

/// <summary>
/// Reads the first bytes of a connection for the inspectors, bounded by count and time, and keeps them: whoever serves the connection gets them
/// first, so nothing is consumed. Inspectors run in their order until each knows.
/// </summary>
internal sealed class Sniffer(bool tls, bool http, int maxBytes) : IDisposable
{
    private byte[] buffer = [];
    private int length;

    /// <summary>The client's hello, if it was TLS.</summary>
    public ClientHello? Hello { get; private set; }

    /// <summary>"tls" or "raw_buffer".</summary>
    public string TransportProtocol => Hello is null ? "raw_buffer" : "tls";

    /// <summary>ALPN of the hello, else what the HTTP inspector found.</summary>
    public IReadOnlyList<string> ApplicationProtocols { get; private set; } = [];

    /// <summary>What was read.</summary>
    public ReadOnlySpan<byte> Bytes => buffer.AsSpan(0, length);

    /// <summary>The same, until this is disposed.</summary>
    public ReadOnlyMemory<byte> Memory => buffer.AsMemory(0, length);

    /// <summary>Runs the inspectors.</summary>
    public async ValueTask<SniffResult> RunAsync(Socket socket, TimeSpan timeout, EarlyConnection connection)
    {
        if (!tls && !http)
        {
            return SniffResult.Done;
        }
        buffer = ArrayPool<byte>.Shared.Rent(Math.Min(2048, maxBytes));
        CancellationTokenSource? deadline = null;
        try
        {
            while (true)
            {
                var room = Math.Min(buffer.Length, maxBytes) - length;
                if (room == 0)
                {
                    if (buffer.Length >= maxBytes)
                    {
                        return SniffResult.Malformed;
                    }
                    Grow();
                    continue;
                }
                var read = socket.ReceiveAsync(buffer.AsMemory(length, room), SocketFlags.None, (deadline ??= Deadline(timeout))?.Token ?? default);
                var count = await read.ConfigureAwait(false);
                length += count;
                if (count > 0 && !connection.TryKeep())
                {
                    return SniffResult.Closed;
                }
                var result = Inspect();
                if (result == PeekResult.Malformed)
                {
                    return SniffResult.Malformed;
                }
                if (result != PeekResult.NeedMore)
                {
                    return SniffResult.Done;
                }
                if (count == 0)
                {
                    // The client said all it will ever say: what it is now is final.
                    return length == 0 ? SniffResult.Closed : SniffResult.Done;
                }
            }
        }
        catch (OperationCanceledException)
        {
            return SniffResult.TimedOut;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return SniffResult.Closed;
        }
        finally
        {
            deadline?.Dispose();
        }
    }

    public void Dispose()
    {
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = [];
        }
    }

    private PeekResult Inspect()
    {
        if (tls)
        {
            var result = ClientHello.TryRead(Bytes, out var hello);
            if (result == PeekResult.Match)
            {
                Hello = hello;
                ApplicationProtocols = hello!.ApplicationProtocols;
            }
            if (result != PeekResult.NoMatch)
            {
                return result;
            }
        }
        if (!http)
        {
            return PeekResult.NoMatch;
        }
        var probe = HttpProbe.TryRead(Bytes, out var protocol);
        if (probe == PeekResult.Match)
        {
            ApplicationProtocols = [protocol];
        }
        return probe;
    }

    private void Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Min(buffer.Length * 2, maxBytes));
        Bytes.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }

    private static CancellationTokenSource? Deadline(TimeSpan timeout) => timeout == TimeSpan.Zero ? null : new CancellationTokenSource(timeout);
}

/// <summary>How sniffing ended.</summary>
internal enum SniffResult
{
    /// <summary>All inspectors know.</summary>
    Done,

    /// <summary>listener_filters_timeout passed.</summary>
    TimedOut,

    /// <summary>The client went away before a byte, or was let go by a drain.</summary>
    Closed,

    /// <summary>A bound was hit or the bytes contradict themselves.</summary>
    Malformed,
}
