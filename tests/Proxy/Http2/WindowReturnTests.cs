using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Http;
using Postern.Proxy.Http2;

namespace Postern.Tests.Proxy.Http2;

/// <summary>
/// The window goes back to the peer when its bytes were read, whoever read them: also when the reader then waits for more, which the peer cannot send until it has
/// the window. A reader that was waiting for something else (another connection) is not on the read loop, whose end sends what gathered.
/// </summary>
public sealed class WindowReturnTests
{
    private const int Window = 65_535;
    private const int Half = 32_768;

    [Fact]
    public async Task ReaderThatComesBackFromElsewhere_GivesTheWindowBackBeforeItWaits()
    {
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var pipe = new Pipe();
        var hasHalf = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        async Task ServeAsync(ClientStream stream)
        {
            for (var total = 0; total < Half;)
            {
                total += (await stream.ReadAsync()).Data.Length;
            }
            hasHalf.SetResult();
            await goOn.Task;
            await stream.ReadAsync(); // nothing is there
        }
        using var talk = new ClientTalk(Http2Options.Default with { InitialStreamWindow = Window, InitialConnectionWindow = Window }, serve: ServeAsync, over: pipe.Right);
        var frames = new FrameReader(pipe.Left.From);
        foreach (var line in new[]
        {
            "PREFACE", "SETTINGS", "SETTINGS ACK", "HEADERS stream=1 flags=END_HEADERS :method=POST :scheme=http :authority=a :path=/", "DATA stream=1 size=16384", "DATA stream=1 size=16384",
        })
        {
            pipe.Left.To.Write(FrameText.Encode(line));
        }
        await hasHalf.Task.WaitAsync(time.Token);
        pipe.Left.To.Write(FrameText.Encode("PING"));
        while ((await frames.ReadAsync(time.Token))![0] != "PING")
        {
            // What came before the reader went elsewhere is out.
        }
        goOn.SetResult();
        var next = await frames.ReadAsync(time.Token);
        Assert.Equal(["WINDOW_UPDATE", "stream=0", "increment=" + Half], next!.Where(word => word != "length=4"));
        talk.Connection.Abort();
        await talk.Running.WaitAsync(time.Token);
    }
}
