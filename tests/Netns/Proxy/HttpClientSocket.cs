using System;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Proxy;

/// <summary>One connection that speaks HTTP/1.1 by hand, so that a test knows what goes over it. Every read has a deadline.</summary>
internal sealed class HttpClientSocket : IDisposable
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _length;

    private HttpClientSocket(Socket socket) => Socket = socket;

    internal Socket Socket { get; }

    /// <summary>Connects from a namespace.</summary>
    /// <param name="from">The client.</param>
    /// <param name="to">Address and port.</param>
    /// <param name="source">The client's address, if it has several.</param>
    internal static HttpClientSocket Connect(NetworkNamespace from, string to, string? source = null) => from.Inside(() =>
    {
        var target = IPEndPoint.Parse(to);
        var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = Patience.Milliseconds, SendTimeout = Patience.Milliseconds, NoDelay = true };
        if (source is not null)
        {
            socket.Bind(new IPEndPoint(IPAddress.Parse(source), 0));
        }
        socket.Connect(target);
        return new HttpClientSocket(socket);
    });

    internal void Send(string text) => Socket.Send(Encoding.Latin1.GetBytes(text));

    internal void SendRequest(string path, string method = "GET") => Send($"{method} {path} HTTP/1.1\r\nHost: origin\r\n\r\n");

    /// <summary>Sends a request and reads the answer: "200 body".</summary>
    internal string Ask(string path, string method = "GET")
    {
        SendRequest(path, method);
        return ReadAnswer();
    }

    /// <summary>Reads an answer with Content-Length: "200 body", the body without its final CRLF.</summary>
    internal string ReadAnswer()
    {
        int end;
        while ((end = _buffer.AsSpan(0, _length).IndexOf("\r\n\r\n"u8)) < 0)
        {
            Fill();
        }
        var head = Encoding.Latin1.GetString(_buffer, 0, end);
        var size = 0;
        foreach (var line in head.Split("\r\n"))
        {
            if (line.StartsWith("content-length:", StringComparison.OrdinalIgnoreCase))
            {
                size = int.Parse(line[15..], CultureInfo.InvariantCulture);
            }
        }
        while (_length < end + 4 + size)
        {
            Fill();
        }
        var body = Encoding.Latin1.GetString(_buffer, end + 4, size).TrimEnd('\r', '\n');
        _length -= end + 4 + size;
        Buffer.BlockCopy(_buffer, end + 4 + size, _buffer, 0, _length);
        return $"{head.Split(' ')[1]} {body}";
    }

    /// <summary>What the connection comes to, when no answer is expected: "reset", "closed" or the bytes.</summary>
    internal string ReadEnd()
    {
        try
        {
            var count = Socket.Receive(_buffer);
            return count == 0 ? "closed" : Encoding.Latin1.GetString(_buffer, 0, count);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            return "reset";
        }
    }

    /// <summary>Connects, asks and tells what it comes to: an answer as <see cref="Ask"/>'s, "reset" or "closed".</summary>
    internal static string Try(NetworkNamespace from, string to, string path, string? source = null, string method = "GET")
    {
        try
        {
            using var client = Connect(from, to, source);
            return client.TryAsk(path, method);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset)
        {
            return "reset"; // faster than connect() looked
        }
    }

    internal string TryAsk(string path, string method = "GET")
    {
        try
        {
            return Ask(path, method);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            return "reset";
        }
        catch (EndOfConnectionException)
        {
            return "closed";
        }
    }

    public void Dispose() => Socket.Dispose();

    private void Fill()
    {
        var count = Socket.Receive(_buffer.AsSpan(_length));
        if (count == 0)
        {
            throw new EndOfConnectionException(Encoding.Latin1.GetString(_buffer, 0, _length));
        }
        _length += count;
    }
}
