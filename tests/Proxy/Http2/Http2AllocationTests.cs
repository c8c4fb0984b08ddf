using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Http;
using Postern.Proxy.Http1;
using Postern.Proxy.Http2;
using Postern.Tests.Proxy.InMemory;
using Xunit.Abstractions;

namespace Postern.Tests.Proxy.Http2;

/// <summary>What a warm request with a small body costs the heap on the client's side of an HTTP/2 connection, without the request path.</summary>
[Collection("allocation")]
public sealed class Http2AllocationTests(ITestOutputHelper output)
{
    private const int Batch = 50;
    private const int Batches = 40;
    private const int Bound = 600; // bytes

    [Fact]
    public async Task PostWithSmallBody_AllocatesLittle()
    {
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var talk = new ClientTalk(Http2Options.Default, serve: ServeAsync);
        talk.Send([.. FrameText.Encode("PREFACE"), .. FrameText.Encode("SETTINGS"), .. FrameText.Encode("SETTINGS ACK")]);
        var next = 1;
        var batches = new List<byte[]>();
        for (var i = 0; i < 2 * Batches; i++)
        {
            var bytes = new List<byte>();
            for (var request = 0; request < Batch; request++, next += 2)
            {
                bytes.AddRange(FrameText.Encode($"HEADERS stream={next} flags=END_HEADERS :method=POST :scheme=http :authority=a :path=/ok user-agent=test content-length=5"));
                bytes.AddRange(FrameText.Encode($"DATA stream={next} flags=END_STREAM text=hello"));
            }
            batches.Add(bytes.ToArray());
        }
        batches.Add(FrameText.Encode("PING"));
        long before = 0;
        for (var i = 0; i < 2 * Batches; i++)
        {
            if (i == Batches)
            {
                before = GC.GetTotalAllocatedBytes(precise: true);
            }
            talk.Send(batches[i]);
            for (var until = Environment.TickCount64 + 10_000; served < (i + 1) * Batch; await Task.Yield())
            {
                Assert.True(Environment.TickCount64 < until, $"{served} served");
            }
        }
        var each = (GC.GetTotalAllocatedBytes(precise: true) - before) / (Batches * Batch);
        output.WriteLine($"{each} bytes per request");
        talk.Fin();
        await talk.Running.WaitAsync(time.Token);
        Assert.True(each <= Bound, $"{each} bytes per request, at most {Bound} are allowed");
    }

    private static readonly byte[] Answer = "hello"u8.ToArray();
    private static int served;

    private static async Task ServeAsync(ClientStream stream)
    {
        while (await stream.ReadAsync() is { IsEnd: false, Error.IsError: false })
        {
        }
        var head = Head ??= new ResponseHead();
        head.Begin(200);
        head.AppendHeader("server", "test");
        await stream.SendHeadAsync(head, end: false);
        await stream.SendAsync(Answer, true, null);
        Interlocked.Increment(ref served);
    }

    [ThreadStatic]
    private static ResponseHead? Head;
}
