using System;
using System.IO;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Records.Observe;

/// <summary>Reads the lines an <see cref="ObserveServer"/> publishes. One reader at a time.</summary>
public sealed class ObserveClient : IDisposable
{
    private const int MaxLineBytes = 256 * 1024; // far beyond any record; a longer line is not from a proxy

    private readonly Socket socket;
    private byte[] buffer = new byte[32 * 1024];
    private int start; // buffer[start..end] is received and not yet returned
    private int end;

    private ObserveClient(Socket socket) => this.socket = socket;

    /// <summary>Connects to a proxy's observe socket.</summary>
    /// <exception cref="SocketException">Nobody listens there, or this user may not connect.</exception>
    public static async Task<ObserveClient> ConnectAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(UnixPath.EndPointOf(path), cancellation).ConfigureAwait(false);
            return new ObserveClient(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The next line without its newline, or null when the proxy closed the connection.</summary>
    /// <exception cref="InvalidDataException">A line of more than 256 KiB.</exception>
    public async ValueTask<string?> ReadLineAsync(CancellationToken cancellation)
    {
        var searched = start;
        while (true)
        {
            var newline = Array.IndexOf(buffer, (byte)'\n', searched, end - searched);
            if (newline >= 0)
            {
                var line = Encoding.UTF8.GetString(buffer, start, newline - start);
                start = newline + 1;
                return line;
            }

            MakeRoom();
            searched = end;
            int read;
            try
            {
                read = await socket.ReceiveAsync(buffer.AsMemory(end), SocketFlags.None, cancellation).ConfigureAwait(false);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
            {
                read = 0;
            }

            if (read == 0)
            {
                return null;
            }

            end += read;
        }
    }

    /// <summary>Disconnects.</summary>
    public void Dispose() => socket.Dispose();

    private void MakeRoom()
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            end -= start;
            start = 0;
        }

        if (end == buffer.Length)
        {
            if (buffer.Length >= MaxLineBytes)
            {
                throw new InvalidDataException($"a line of more than {MaxLineBytes} bytes; is this the observe socket of a proxy?");
            }

            Array.Resize(ref buffer, buffer.Length * 2);
        }
    }
}
