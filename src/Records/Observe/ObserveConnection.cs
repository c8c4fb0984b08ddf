using System;
using System.Net.Sockets;
using System.Text;
using Postern.Records.Json;

namespace Postern.Records.Observe;

/// <summary>One observer: its place in the ring and what the kernel has not taken yet. Owned by the server's thread.</summary>
internal sealed class ObserveConnection : IDisposable
{
    /// <summary>Line that ends the replay.</summary>
    public static ReadOnlySpan<byte> ReplayEnd => "{\"replay_end\":true}\n"u8;

    private const int MarkerRoom = 64;
    private const int FillsPerPump = 64; // one fast observer does not hold up the others

    private readonly Socket socket;
    private readonly LineRing ring;
    private readonly byte[] buffer = new byte[JsonRecordOptions.LargestRecordBytes + (2 * MarkerRoom)];
    private readonly byte[] input = new byte[256];
    private long from;       // number of the next line for this observer
    private long live;       // number at which the replay ends
    private bool replaying = true;
    private int start;       // buffer[start..end] waits for the socket
    private int end;

    public ObserveConnection(Socket socket, LineRing ring, int replay)
    {
        this.socket = socket;
        this.ring = ring;
        socket.Blocking = false;
        from = ring.Last(replay, out live);
    }

    /// <summary>Lines this observer missed because it was slow.</summary>
    public long Lost { get; private set; }

    /// <summary>Sends what it takes without waiting; false when the observer is gone.</summary>
    public bool Pump()
    {
        for (var fills = 0; fills < FillsPerPump;)
        {
            if (start == end)
            {
                fills++;
                if (!Fill())
                {
                    return IsThere();
                }
            }

            var sent = socket.Send(buffer.AsSpan(start, end - start), SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                return true;
            }

            if (error != SocketError.Success)
            {
                return false;
            }

            start += sent;
        }

        return true;
    }

    public void Dispose() => socket.Dispose();

    private bool Fill()
    {
        // Room stays free for a marker line before and after the lines.
        start = 0;
        var size = ring.Read(ref from, replaying ? live : long.MaxValue, buffer.AsSpan(MarkerRoom, buffer.Length - (2 * MarkerRoom)), out var lost);
        end = MarkerRoom + size;
        start = MarkerRoom;
        if (lost > 0)
        {
            Lost += lost;
            var marker = $"{{\"lost_records\":{lost}}}\n";
            start -= marker.Length;
            Encoding.ASCII.GetBytes(marker, buffer.AsSpan(start));
        }

        if (replaying && from >= live)
        {
            replaying = false;
            ReplayEnd.CopyTo(buffer.AsSpan(end));
            end += ReplayEnd.Length;
        }

        return start != end;
    }

    // An observer says nothing; a read that ends tells that it went away.
    private bool IsThere()
    {
        var read = socket.Receive(input, SocketFlags.None, out var error);
        return error == SocketError.WouldBlock || (error == SocketError.Success && read > 0);
    }
}
