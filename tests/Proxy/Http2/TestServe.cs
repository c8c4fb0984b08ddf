using System;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Errors;
using Postern.Proxy.Http;
using Postern.Proxy.Http1;

namespace Postern.Tests.Proxy.Http2;

/// <summary>Stands for the request path: what it does follows from the path that is asked for.</summary>
internal sealed class TestServe
{
    private int served;

    /// <summary>Requests so far.</summary>
    public int Served => Volatile.Read(ref served);

    /// <summary>How each request ended: <c>path: outcome</c>.</summary>
    public ConcurrentQueue<string> Ends { get; } = new();

    public async Task ServeAsync(ClientStream stream)
    {
        Interlocked.Increment(ref served);
        var path = stream.Head.IsConnect ? "CONNECT" : stream.Head.Path.ToString();
        var outcome = await ServeAsync(stream, path);
        Ends.Enqueue($"{path}: {(stream.Failure.IsError ? stream.Failure.Code.ToString() : outcome)}");
    }

    private static async Task<string> ServeAsync(ClientStream stream, string path)
    {
        var head = new ResponseHead();
        switch (path.Split('?')[0])
        {
            case "/early":
                await stream.SendHeadAsync(Status(head, 413), end: true);
                stream.StopBody();
                return "early";
            case "/early-stop":
                stream.StopBody();
                await stream.SendHeadAsync(Status(head, 413), end: false);
                await stream.SendAsync("no"u8.ToArray(), true, null);
                return "early";
            case "/interim":
                await stream.SendInterimAsync(Status(head, 103, ("link", "</a>")));
                await stream.SendInterimAsync(Status(head, 100));
                return await BodyThen(stream, 200);
            case "/trailers":
                await stream.SendHeadAsync(Status(head, 200), end: false);
                await stream.SendAsync("body"u8.ToArray(), false, null);
                await stream.SendAsync(default, true, Status(new ResponseHead(), 200, ("grpc-status", "0")));
                return "ok";
            case "/empty":
                await stream.SendHeadAsync(Status(head, 204), end: true);
                return "ok";
            case "/reset":
                await stream.SendHeadAsync(Status(head, 200), end: false);
                await stream.SendAsync("part"u8.ToArray(), false, null);
                stream.Reset(new ProxyError(ErrorCode.UpstreamReset, "test"));
                return "reset";
            case "/refused":
                stream.Reset(new ProxyError(ErrorCode.UpstreamConnectRefused, "test"));
                return "reset";
            case "/forgotten":
                return "forgotten";
            case "/bad-head":
                return (await stream.SendHeadAsync(Status(head, 200, ("x", "a\nb")), end: true)).ToString();
            case "/wait":
                while (!stream.Failure.IsError)
                {
                    var read = await stream.ReadAsync();
                    if (read.Error.IsError || read.IsEnd)
                    {
                        break;
                    }
                }
                for (var until = Environment.TickCount64 + 20_000; !stream.Failure.IsError && Environment.TickCount64 < until;)
                {
                    await Task.Delay(5);
                }
                return "waited";
            case "/large":
                await stream.SendHeadAsync(Status(head, 200), end: false);
                var size = int.Parse(path.AsSpan("/large?".Length), CultureInfo.InvariantCulture);
                var sent = await stream.SendAsync(Encoding.ASCII.GetBytes(new string('y', size)), true, null);
                return sent ? "ok" : "cut";
            case "/long-head":
                await stream.SendHeadAsync(Status(head, 200, ("long", new string('z', 40_000))), end: true);
                return "ok";
            case "/echo" or "CONNECT" or "/ws":
                await stream.SendHeadAsync(Status(head, 200), end: false);
                await stream.FlushAsync();
                if (path is "CONNECT" or "/ws")
                {
                    stream.BeginTunnel();
                }
                while (true)
                {
                    var read = await stream.ReadAsync();
                    if (read.Error.IsError)
                    {
                        stream.Reset(read.Error);
                        return $"body {read.Error.Code}";
                    }
                    if (!await stream.SendAsync(read.Data, read.IsEnd, read.IsEnd ? stream.Trailers : null))
                    {
                        return "cut";
                    }
                    if (read.IsEnd)
                    {
                        return "ok";
                    }
                }
            default:
                return await BodyThen(stream, 200);
        }
    }

    private static async Task<string> BodyThen(ClientStream stream, int status)
    {
        var total = 0;
        while (stream.Head.HasBody)
        {
            var read = await stream.ReadAsync();
            if (read.Error.IsError)
            {
                stream.Reset(read.Error);
                return $"body {read.Error.Code}";
            }
            total += read.Data.Length;
            if (read.IsEnd)
            {
                break;
            }
        }
        var head = Status(new ResponseHead(), status);
        if (stream.Head.Method is "HEAD")
        {
            return await stream.SendHeadAsync(head, end: true) ? "ok" : "cut";
        }
        await stream.SendHeadAsync(head, end: false);
        return await stream.SendAsync(Encoding.ASCII.GetBytes($"ok{total}"), true, null) ? "ok" : "cut";
    }

    private static ResponseHead Status(ResponseHead head, int status, params (string Name, string Value)[] fields)
    {
        head.Begin(status);
        foreach (var (name, value) in fields)
        {
            head.AppendHeader(name, value);
        }
        return head;
    }
}
