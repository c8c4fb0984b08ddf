using System;
using System.IO.Pipelines;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Admin;

namespace Postern.Tests.Proxy.Admin;

public class JsonStreamTests
{
    private static readonly string Text = new('x', 100_000);

    [Fact]
    public async Task ReaderThatIsStuck_HoldsNoThread()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 1024, resumeWriterThreshold: 512));
        var stream = new JsonStream(pipe.Writer, default, CancellationToken.None);
        stream.Json.WriteStartArray();
        stream.Json.WriteStringValue(Text);
        var pace = stream.PaceAsync(); // comes back at once, and is not done
        Assert.False(pace.IsCompleted);
        var read = await pipe.Reader.ReadAsync();
        pipe.Reader.AdvanceTo(read.Buffer.End);
        await pace;
    }

    [Fact]
    public async Task ReaderThatIsGone_EndsTheWriting()
    {
        var pipe = new Pipe();
        var stream = new JsonStream(pipe.Writer, default, CancellationToken.None);
        await pipe.Reader.CompleteAsync();
        stream.Json.WriteStringValue(Text);
        await Assert.ThrowsAsync<OperationCanceledException>(async () => await stream.PaceAsync());
    }

    [Fact]
    public async Task SmallItems_AreSentTogether()
    {
        var pipe = new Pipe();
        await using var stream = new JsonStream(pipe.Writer, default, CancellationToken.None);
        stream.Json.WriteStartArray();
        for (var i = 0; i < 10; i++)
        {
            stream.Json.WriteNumberValue(i);
            await stream.PaceAsync();
        }
        Assert.False(pipe.Reader.TryRead(out _));
        stream.Json.WriteEndArray();
    }
}
