using System;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Errors;
using Postern.Proxy.Http;
using Postern.Proxy.Http1;
using Postern.Proxy.Http2;
using Postern.Proxy.Transport;
using Postern.Proxy.Upstream;
using Postern.Tests.Proxy.InMemory;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Http2;

/// <summary>Both roles end to end: our client, our server's side of the proxy, a pump to our upstream side, and our server behind it.</summary>
[Collection("allocation")] // alone: it moves gigabytes
public sealed class JoinedRolesTests
{
    private const int Streams = 1000;
    private const int BodySize = 1 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static long received;
    private static long receivedBefore;

    [Fact]
    public async Task ManyStreamsWithLargeBodies_ArriveWholeBothWays()
    {
        using var time = new CancellationTokenSource(); // not a time for the whole: it is eight seconds, or minutes on a busy machine
        using var watch = new Timer(_ => CancelIfStuck(time), null, Patience, Patience);
        using var back = new Pipe();
        using var front = new Pipe();
        using var server = new ClientTalk(Http2Options.Default, serve: EchoAsync, over: back.Right);
        using var upstream = Client(back.Left);
        using var proxy = new ClientTalk(Http2Options.Default, serve: stream => PumpAsync(stream, upstream), over: front.Right);
        using var client = Client(front.Left);

        var first = await CallAsync(client, 0, 100, time.Token);
        Assert.Equal("ok", first);
        var calls = new Task<string>[Streams];
        for (var i = 0; i < Streams; i++)
        {
            calls[i] = CallAsync(client, i, BodySize, time.Token);
        }
        foreach (var outcome in await Task.WhenAll(calls).WaitAsync(time.Token))
        {
            Assert.Equal("ok", outcome);
        }
        client.CloseIdle();
        await proxy.Running.WaitAsync(time.Token);
        upstream.CloseIdle();
        await server.Running.WaitAsync(time.Token);
        await Task.WhenAll(client.Ended, upstream.Ended).WaitAsync(time.Token);
    }

    internal static Http2UpstreamConnection Client(MemoryEnd end, Http2Options? options = null, TimeSpan? idleTimeout = null) => new(
        new TransportChannel(end, end),
        new ClusterSnapshot(new ClusterConfig("test", ClusterType.Static, TimeSpan.FromSeconds(1), []) { IdleTimeout = idleTimeout }),
        new IPEndPoint(IPAddress.Loopback, 80), options ?? Http2Options.Default);

    internal static RequestHead Request(string path, string method = "POST")
    {
        var head = new RequestHead();
        head.BeginHttp2();
        head.SetMethod(System.Text.Encoding.ASCII.GetBytes(method));
        head.SetHttp2Path(System.Text.Encoding.ASCII.GetBytes(path));
        head.SetHttp2Authority("test"u8);
        head.IsStreamed = method == "POST";
        return head;
    }

    private static async Task<string> CallAsync(Http2UpstreamConnection client, int number, int size, CancellationToken cancellationToken)
    {
        ServerStream? opened = null;
        while (opened is null)
        {
            (opened, _) = await client.OpenStreamAsync();
            if (opened is null)
            {
                Assert.True(client.IsReusable, "the connection ended");
                await Task.Delay(1, cancellationToken);
            }
        }
        var error = await opened.SendHeadAsync(Request("/" + number), end: false);
        if (error.IsError)
        {
            return error.Detail;
        }
        var upload = UploadAsync(opened, number, size);
        var outcome = await DownloadAsync(opened, number, size);
        await upload;
        opened.Release();
        return outcome;
    }

    private static void CancelIfStuck(CancellationTokenSource time)
    {
        var now = Volatile.Read(ref received);
        if (now == receivedBefore)
        {
            time.Cancel();
        }
        receivedBefore = now;
    }

    private static async Task UploadAsync(ServerStream stream, int number, int size)
    {
        await Task.Yield();
        var data = new byte[48 * 1024];
        data.AsSpan().Fill((byte)number);
        for (var left = size; left > 0;)
        {
            var count = Math.Min(left, data.Length);
            left -= count;
            if (!await stream.SendAsync(data.AsMemory(0, count), false, null))
            {
                return;
            }
        }
        var trailers = new HeaderBlock();
        trailers.AppendHeader("number", number.ToString());
        await stream.SendAsync(default, true, trailers);
    }

    private static async Task<string> DownloadAsync(ServerStream stream, int number, int size)
    {
        var error = await stream.ReadHeadAsync();
        if (error.IsError)
        {
            return "head: " + error.Detail;
        }
        if (stream.Head.Status != 200)
        {
            return "status " + stream.Head.Status;
        }
        var total = 0;
        while (true)
        {
            var read = await stream.ReadAsync();
            if (read.Error.IsError)
            {
                return $"body after {total}: {read.Error.Detail}";
            }
            if (read.Data.Span.ContainsAnyExcept((byte)number))
            {
                return "foreign bytes";
            }
            total += read.Data.Length;
            Interlocked.Add(ref received, read.Data.Length);
            if (read.IsEnd)
            {
                break;
            }
        }
        return total != size ? $"{total} bytes"
            : stream.Trailers is { } trailers && trailers.TryFind("number", out var value) && value.SequenceEqual(number.ToString()) ? "ok" : "no trailers";
    }

    private static async Task EchoAsync(ClientStream stream)
    {
        var head = new ResponseHead();
        head.Begin(200);
        await stream.SendHeadAsync(head, end: false);
        await CopyAsync(stream, async (read, trailers) => await stream.SendAsync(read.Data, read.IsEnd, trailers));
    }

    // What the request path does, without policy.
    private static async Task PumpAsync(ClientStream client, Http2UpstreamConnection connection)
    {
        var (server, error) = await connection.OpenStreamAsync();
        if (server is null)
        {
            client.Reset(error);
            return;
        }
        client.Attach(server);
        error = await server.SendHeadAsync(client.Head, end: false);
        var upload = error.IsError ? Task.CompletedTask : CopyAsync(client, async (read, trailers) => await server.SendAsync(read.Data, read.IsEnd, trailers));
        if (!error.IsError)
        {
            error = await server.ReadHeadAsync();
        }
        if (error.IsError)
        {
            client.Fail(error);
        }
        else
        {
            await client.SendHeadAsync(server.Head, end: false);
            await CopyAsync(server, async (read, trailers) => await client.SendAsync(read.Data, read.IsEnd, trailers));
        }
        await upload;
        client.Detach();
        server.Release();
    }

    private static async Task CopyAsync(IBodySource from, Func<BodyRead, HeaderBlock?, ValueTask<bool>> send)
    {
        while (true)
        {
            var read = await from.ReadAsync();
            if (read.Error.IsError || !await send(read, read.IsEnd ? from.Trailers : null) || read.IsEnd)
            {
                return;
            }
        }
    }
}
