using System;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Postern.Tests.Grpc.Fixture;

namespace Postern.Tests.Grpc.Hostile;

/// <summary>A listener that takes one connection and says what the test tells it to; it reads whatever comes.</summary>
internal sealed class RawPeer : IAsyncDisposable
{
    /// <summary>Empty SETTINGS.</summary>
    public static readonly byte[] Settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];

    /// <summary>HEADERS of stream 1 with <c>:status 200</c>, <c>content-type application/grpc</c>.</summary>
    public static readonly byte[] GrpcHeaders = Frame(1, 4, [0x88, 0x0F, 0x10, 16, .. "application/grpc"u8]);

    private readonly Socket listener = new(SocketType.Stream, ProtocolType.Tcp);
    private Socket? connection;

    public RawPeer()
    {
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
    }

    public EndPoint EndPoint => listener.LocalEndPoint!;

    public static byte[] Frame(byte type, byte flags, byte[] payload) =>
        [(byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, type, flags, 0, 0, 0, 1, .. payload];

    /// <summary>Takes the connection, waits for the request's headers, says these bytes, then is silent or closes.</summary>
    public async Task PlayAsync(byte[] answer, bool close)
    {
        connection = await listener.AcceptAsync().Within();
        var buffer = new byte[64 << 10];
        var seen = 0;
        await connection.SendAsync(Settings);
        while (!HasHeaders(buffer.AsSpan(0, seen)))
        {
            var count = await connection.ReceiveAsync(buffer.AsMemory(seen)).AsTask().Within();
            Assert.NotEqual(0, count);
            seen += count;
        }
        await connection.SendAsync(answer);
        if (close)
        {
            connection.Shutdown(SocketShutdown.Both);
            connection.Close();
        }
    }

    public ValueTask DisposeAsync()
    {
        connection?.Dispose();
        listener.Dispose();
        return default;
    }

    // After the preface of 24 bytes, frame by frame.
    private static bool HasHeaders(ReadOnlySpan<byte> bytes)
    {
        for (var at = 24; at + 9 <= bytes.Length; at += 9 + (bytes[at] << 16) + (bytes[at + 1] << 8) + bytes[at + 2])
        {
            if (bytes[at + 3] == 1)
            {
                return true;
            }
        }
        return false;
    }
}
