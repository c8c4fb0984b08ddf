using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Http2;
using Postern.Tests.Proxy.InMemory;

namespace Postern.Tests.Proxy.Http2;

/// <summary>A client that does not read what it gets.</summary>
public sealed class StalledPeerTests : IDisposable
{
    private readonly CancellationTokenSource time = new(TimeSpan.FromSeconds(20));
    private readonly Pipe pipe = new();
    private readonly ClientTalk talk;
    private readonly FrameReader frames;

    public StalledPeerTests()
    {
        talk = new ClientTalk(Http2Options.Default, over: pipe.Right);
        frames = new FrameReader(pipe.Left.From);
        Send(1, "PREFACE");
        Send(1, "SETTINGS");
        Send(1, "SETTINGS ACK");
    }

    public void Dispose()
    {
        talk.Dispose();
        pipe.Dispose();
        time.Dispose();
    }

    [Theory]
    [InlineData("PING")]
    [InlineData("SETTINGS")]
    public async Task AnswersThatNobodyReads_EndTheConnection(string frame)
    {
        pipe.Right.Stall = new TaskCompletionSource();
        Send(1100, frame);
        await Patience.UntilAsync(() => talk.Stats.OutboundControlFlood.Value == 1, "a flood to be counted");
        await Patience.UntilAsync(() => talk.Records.Seen.Any(record => record.Fields["reason"] == "http2_outbound_control_flood"), "a record");
        talk.Sweep(TimeSpan.FromSeconds(6)); // nor does it read the GOAWAY
        await talk.Running.WaitAsync(time.Token);
        Assert.Equal(1, talk.Stats.FlushTimeouts.Value);
    }

    [Fact]
    public async Task BodyThatNobodyReads_WaitsInTheSenderNotInTheProxy()
    {
        const int Size = 5_000_000;
        Send(1, "SETTINGS INITIAL_WINDOW_SIZE=10000000");
        Send(1, "WINDOW_UPDATE stream=0 increment=10000000");
        while (!frames.Seen.Any(seen => seen.Contains("SETTINGS", StringComparison.Ordinal) && seen.Contains("ACK", StringComparison.Ordinal)))
        {
            await frames.ReadAsync(time.Token);
        }
        pipe.Right.Stall = new TaskCompletionSource();
        Send(1, $"HEADERS stream=1 flags=END_STREAM|END_HEADERS :method=GET :scheme=http :authority=a :path=/large?{Size}");
        await Patience.UntilAsync(() => talk.Serve.Served == 1, "something to be served");
        Assert.Empty(talk.Serve.Ends); // the sender waits
        pipe.Right.Stall.SetResult();
        var total = 0;
        while (await frames.ReadAsync(time.Token) is { } frame)
        {
            total += frame[0] == "DATA" ? int.Parse(frame[2].AsSpan("length=".Length)) : 0;
            if (frame.Contains("END_STREAM"))
            {
                break;
            }
        }
        Assert.Equal(Size, total);
        await Patience.UntilAsync(() => !talk.Serve.Ends.IsEmpty, "the sender to stop waiting");
        talk.Connection.Abort();
        await talk.Running.WaitAsync(time.Token);
    }

    private void Send(int count, string line)
    {
        var bytes = FrameText.Encode(line);
        for (var i = 0; i < count; i++)
        {
            try
            {
                pipe.Left.To.Write(bytes);
            }
            catch (System.IO.IOException)
            {
                return; // the proxy reads no more
            }
        }
    }
}
