using System;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Proxy;

/// <summary>
/// An HTTP/1.1 server that counts and remembers. Paths: <c>/wait…</c> answers after <see cref="Release"/>, <c>/upload</c> swallows and answers
/// the number of bytes, <c>/download/N</c> sends N bytes; everything else answers "PEER LOCAL METHOD PATH".
/// </summary>
internal sealed class Origin : IDisposable
{
    private static readonly byte[] Filler = new byte[64 * 1024];
    private readonly Socket _listener;
    private readonly string _name;
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _accepts;
    private int _open;
    private long _bytes;

    internal Origin(NetworkNamespace where, int port, string name = "")
    {
        _name = name;
        _listener = where.Inside(() =>
        {
            var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
            socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
            socket.Listen(4096);
            return socket;
        });
        _ = AcceptAsync();
    }

    /// <summary>Connections so far.</summary>
    internal int Accepts => Volatile.Read(ref _accepts);

    /// <summary>Connections open now.</summary>
    internal int Open => Volatile.Read(ref _open);

    /// <summary>Bytes received so far.</summary>
    internal long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>"PEER LOCAL METHOD PATH" of every request whose head has come.</summary>
    internal ConcurrentQueue<string> Requests { get; } = new();

    internal void Release() => _gate.TrySetResult();

    public void Dispose()
    {
        _listener.Dispose();
        _gate.TrySetResult();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                var socket = await _listener.AcceptAsync().ConfigureAwait(false);
                Interlocked.Increment(ref _accepts);
                Interlocked.Increment(ref _open);
                _ = ServeAsync(socket);
            }
            catch (Exception e) when (e is ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var owned = socket;
        try
        {
            var buffer = new byte[1024];
            var length = 0;
            while (true)
            {
                int end;
                while ((end = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8)) < 0)
                {
                    if (length == buffer.Length)
                    {
                        Array.Resize(ref buffer, length * 2);
                    }
                    var count = await socket.ReceiveAsync(buffer.AsMemory(length)).ConfigureAwait(false);
                    if (count == 0)
                    {
                        return;
                    }
                    Interlocked.Add(ref _bytes, count);
                    length += count;
                }
                var head = Encoding.Latin1.GetString(buffer, 0, end);
                var rest = length - end - 4;
                var body = await SwallowAsync(socket, ContentLength(head), rest).ConfigureAwait(false);
                length = 0; // clients here do not pipeline
                await AnswerAsync(socket, head, body).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task<long> SwallowAsync(Socket socket, long size, int had)
    {
        var buffer = size > had ? new byte[64 * 1024] : [];
        for (long total = had; total < size;)
        {
            var count = await socket.ReceiveAsync(buffer.AsMemory()).ConfigureAwait(false);
            if (count == 0)
            {
                throw new SocketException((int)SocketError.ConnectionReset);
            }
            Interlocked.Add(ref _bytes, count);
            total += count;
        }
        return size;
    }

    private async Task AnswerAsync(Socket socket, string head, long body)
    {
        var line = head[..head.IndexOf("\r\n", StringComparison.Ordinal)].Split(' ');
        var seen = $"{Show(socket.RemoteEndPoint!, false)} {Show(socket.LocalEndPoint!, true)} {line[0]} {line[1]}";
        Requests.Enqueue(seen);
        if (line[1].StartsWith("/wait", StringComparison.Ordinal))
        {
            await _gate.Task.ConfigureAwait(false);
        }
        if (line[1].StartsWith("/download/", StringComparison.Ordinal))
        {
            await DownloadAsync(socket, long.Parse(line[1][10..], CultureInfo.InvariantCulture)).ConfigureAwait(false);
            return;
        }
        var text = line[1] == "/upload" ? body.ToString(CultureInfo.InvariantCulture) : _name + seen;
        await SendAsync(socket, Encoding.Latin1.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {text.Length}\r\n\r\n{text}")).ConfigureAwait(false);
    }

    private static async Task DownloadAsync(Socket socket, long size)
    {
        await SendAsync(socket, Encoding.Latin1.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n")).ConfigureAwait(false);
        for (var left = size; left > 0;)
        {
            var piece = (int)Math.Min(left, Filler.Length);
            await SendAsync(socket, Filler.AsMemory(0, piece)).ConfigureAwait(false);
            left -= piece;
        }
    }

    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes).ConfigureAwait(false)..];
        }
    }

    private static long ContentLength(string head)
    {
        foreach (var line in head.Split("\r\n"))
        {
            if (line.StartsWith("content-length:", StringComparison.OrdinalIgnoreCase))
            {
                return long.Parse(line[15..], CultureInfo.InvariantCulture);
            }
        }
        return 0;
    }

    private static string Show(EndPoint end, bool port)
    {
        var ip = (IPEndPoint)end;
        var address = ip.Address.IsIPv4MappedToIPv6 ? ip.Address.MapToIPv4() : ip.Address;
        return port ? new IPEndPoint(address, ip.Port).ToString() : address.ToString();
    }
}
