using System;
using System.Buffers;
using System.IO;
using System.Net;
using System.Threading.Tasks;
using Postern.Proxy.Http1;
using Postern.Proxy.Transport;

namespace Postern.Proxy.Upstream;

/// <summary>
/// One upstream HTTP/1.1 connection. It belongs to one client connection for its life: with the client's address kept, sharing it would let
/// one client's bytes reach a server under another's name. Used by one request at a time; body and response may run at the same time.
/// </summary>
internal sealed class Http1UpstreamConnection : IDisposable
{
    private const int MaxHeadBytes = 64 * 1024;
    private const int MaxHeaders = 256;
    private const int ReadBufferSize = 16 * 1024;
    private const int MaxInterimResponses = 16;

    private readonly IConnectionControl control;
    private readonly Stream stream;
    private readonly EndPoint destination;
    private EndpointSet endpoints; // the set that the destination was last seen in
    private byte[] readBuffer = [];
    private byte[] writeBuffer = [];
    private int start; // [start, end) of readBuffer was received and not yet taken
    private int end;
    private int disposed;

    public Http1UpstreamConnection(TransportChannel channel, ClusterSnapshot cluster, EndPoint destination)
    {
        this.destination = destination;
        endpoints = cluster.Endpoints;
        control = channel.Control;
        stream = channel.Stream;
        Cluster = cluster;
        Body = new UpstreamResponseBody(this);
        cluster.Stats.ConnectionsActive.Increment();
    }

    public ClusterSnapshot Cluster { get; }

    /// <summary>The response's head; valid after <see cref="ReadHeadAsync"/> said <see cref="HeadResult.Final"/>.</summary>
    public ResponseHead Head { get; } = new();

    /// <summary>The response's body, framed by <see cref="Head"/>.</summary>
    public UpstreamResponseBody Body { get; }

    /// <summary>Requests sent on this connection.</summary>
    public int Served { get; private set; }

    /// <summary>The last request was sent whole.</summary>
    public bool RequestSent { get; set; } = true;

    public bool IsDisposed => disposed != 0;

    /// <summary>Whether the next request may use it: the last exchange ended cleanly, and the server has not closed or spoken out of turn.</summary>
    public bool IsReusable => disposed == 0 && RequestSent && Body.IsComplete && !Head.WillClose && start == end && !control.HasInput;

    /// <summary>Whether the cluster still sends to this endpoint; one comparison unless EDS spoke since.</summary>
    public bool IsStillWanted()
    {
        var now = Cluster.Endpoints;
        if (!ReferenceEquals(endpoints, now))
        {
            if (!Cluster.StillUses(destination))
            {
                return false;
            }
            endpoints = now;
        }
        return true;
    }

    /// <summary>Gives its buffers back until the next request. Only when nothing reads or writes.</summary>
    public void Rest()
    {
        if (start != end)
        {
            return;
        }
        start = end = 0;
        Head.Release();
        Return(ref readBuffer);
        Return(ref writeBuffer);
    }

    /// <summary>Sends the request line and all header lines in their order and case.</summary>
    public ValueTask SendHeadAsync(RequestHead head)
    {
        Served++;
        var length = RequestWriter.Write(head, ref writeBuffer);
        return stream.WriteAsync(writeBuffer.AsMemory(0, length));
    }

    /// <summary>Sends body bytes, already framed.</summary>
    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes) => stream.WriteAsync(bytes);

    /// <summary>Reads until the final response head. Interim ones (1xx) are passed over (RFC 9110 §15.2).</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public async ValueTask<HeadResult> ReadHeadAsync(bool headRequest)
    {
        var interim = 0;
        while (true)
        {
            var at = readBuffer.AsSpan(start, end - start).IndexOf("\r\n\r\n"u8);
            if (at < 0)
            {
                if (end - start >= MaxHeadBytes)
                {
                    return HeadResult.Malformed;
                }
                if (!await FillAsync().ConfigureAwait(false))
                {
                    return end == start && interim == 0 ? HeadResult.ClosedBeforeHead : HeadResult.ClosedInHead;
                }
                continue;
            }
            LastError = ResponseParser.Parse(readBuffer.AsSpan(start, at + 4), Head, MaxHeaders);
            if (LastError != Http1Error.None)
            {
                return HeadResult.Malformed;
            }
            start += at + 4;
            if (Head.Status >= 200)
            {
                Body.Begin(Head, headRequest);
                return HeadResult.Final;
            }
            // 101 cannot come: no upgrade was asked for.
            if (Head.Status == 101 || ++interim > MaxInterimResponses)
            {
                return HeadResult.Malformed;
            }
        }
    }

    /// <summary>Why the last head was malformed.</summary>
    public Http1Error LastError { get; private set; }

    public void Dispose()
    {
        if (System.Threading.Interlocked.Exchange(ref disposed, 1) == 0)
        {
            stream.Dispose();
            Cluster.Stats.ConnectionsActive.Decrement();
            // The buffers are left to the collector: a read that was pending may still touch them.
        }
    }

    /// <summary>Bytes received and not taken.</summary>
    internal ReadOnlyMemory<byte> Buffered => readBuffer.AsMemory(start, end - start);

    internal void Take(int count) => start += count;

    /// <summary>Reads body bytes straight into the caller's memory.</summary>
    internal ValueTask<int> ReceiveAsync(Memory<byte> into) => stream.ReadAsync(into);

    /// <summary>Receives more; false at the end of the stream.</summary>
    internal async ValueTask<bool> FillAsync()
    {
        if (readBuffer.Length == 0)
        {
            readBuffer = ArrayPool<byte>.Shared.Rent(ReadBufferSize);
        }
        if (start == end)
        {
            start = end = 0;
        }
        else if (end == readBuffer.Length)
        {
            if (start > 0)
            {
                readBuffer.AsSpan(start, end - start).CopyTo(readBuffer);
            }
            else
            {
                var larger = ArrayPool<byte>.Shared.Rent(readBuffer.Length * 2);
                readBuffer.AsSpan(start, end - start).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(readBuffer);
                readBuffer = larger;
            }
            end -= start;
            start = 0;
        }
        var count = await stream.ReadAsync(readBuffer.AsMemory(end)).ConfigureAwait(false);
        end += count;
        return count > 0;
    }

    private static void Return(ref byte[] buffer)
    {
        if (buffer.Length > 0)
        {
            var old = buffer;
            buffer = [];
            ArrayPool<byte>.Shared.Return(old);
        }
    }
}

/// <summary>How reading a response head ended.</summary>
internal enum HeadResult
{
    /// <summary>A final head is there.</summary>
    Final,

    /// <summary>Closed before a byte of it: on a reused connection most likely an idle close.</summary>
    ClosedBeforeHead,

    /// <summary>Closed within it.</summary>
    ClosedInHead,

    /// <summary>Not acceptable HTTP/1.</summary>
    Malformed,
}
