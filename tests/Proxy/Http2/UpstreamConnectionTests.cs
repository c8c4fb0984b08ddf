using System;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Errors;
using Postern.Proxy.Http2;
using Postern.Proxy.Upstream;
using Postern.Tests.Proxy.InMemory;

namespace Postern.Tests.Proxy.Http2;

/// <summary>Our client's role against a server that the test plays, frame by frame.</summary>
public sealed class UpstreamConnectionTests : IDisposable
{
    private readonly CancellationTokenSource time = new(TimeSpan.FromSeconds(20));
    private readonly Pipe pipe = new();
    private readonly Http2UpstreamConnection connection;
    private readonly FrameReader frames;

    public UpstreamConnectionTests()
    {
        connection = JoinedRolesTests.Client(pipe.Left);
        frames = new FrameReader(pipe.Right.From);
    }

    public void Dispose()
    {
        connection.Dispose();
        pipe.Dispose();
        time.Dispose();
    }

    [Fact]
    public async Task Get_SendsPrefaceSettingsAndHead_ReadsHeadBodyAndTrailers()
    {
        var stream = await OpenAsync();
        Assert.Equal(ErrorCode.None, (await stream.SendHeadAsync(JoinedRolesTests.Request("/a", "GET"), end: true)).Code);
        await HelloAsync("ENABLE_PUSH=0");
        await ExpectAsync("HEADERS", "stream=1", "END_STREAM", ":method=GET", ":path=/a", ":scheme=http", ":authority=test");
        Send("HEADERS stream=1 flags=END_HEADERS :status=103 link=x", "HEADERS stream=1 flags=END_HEADERS :status=200", "DATA stream=1 text=body", "HEADERS stream=1 flags=END_STREAM|END_HEADERS grpc-status=0");
        Assert.Equal(103, await HeadAsync(stream));
        Assert.Equal(200, await HeadAsync(stream));
        Assert.Equal("body", await BodyAsync(stream));
        Assert.Equal(1, stream.Trailers?.Count);
        stream.Release();
        Assert.True(connection.IsReusable && connection.IsIdleNow);
    }

    [Theory]
    [InlineData("a stream refused", "RST_STREAM stream=1 code=REFUSED_STREAM", nameof(ErrorCode.UpstreamReset), true)]
    [InlineData("a stream reset", "RST_STREAM stream=1 code=INTERNAL_ERROR", nameof(ErrorCode.UpstreamReset), false)]
    [InlineData("going away without it", "GOAWAY last=0 code=NO_ERROR", nameof(ErrorCode.UpstreamReset), true)]
    [InlineData("a push", "PUSH_PROMISE stream=1 hex=00000002", nameof(ErrorCode.UpstreamProtocol), false)]
    [InlineData("data before a head", "DATA stream=1 text=x", nameof(ErrorCode.UpstreamProtocol), false)]
    [InlineData("switching protocols", "HEADERS stream=1 flags=END_HEADERS :status=101", nameof(ErrorCode.UpstreamProtocol), false)]
    [InlineData("a head without status", "HEADERS stream=1 flags=END_HEADERS x=y", nameof(ErrorCode.UpstreamProtocol), false)]
    [InlineData("an interim head that ends", "HEADERS stream=1 flags=END_STREAM|END_HEADERS :status=103", nameof(ErrorCode.UpstreamProtocol), false)]
    [InlineData("a head for nobody", "HEADERS stream=3 flags=END_HEADERS :status=200", nameof(ErrorCode.UpstreamProtocol), false)]
    [InlineData("a head on an even stream", "HEADERS stream=2 flags=END_HEADERS :status=200", nameof(ErrorCode.UpstreamProtocol), false)]
    [InlineData("broken hpack", "HEADERS stream=1 flags=END_HEADERS hex=80", nameof(ErrorCode.UpstreamProtocol), false)]
    [InlineData("a connection header", "HEADERS stream=1 flags=END_HEADERS :status=200 connection=close", nameof(ErrorCode.UpstreamProtocol), false)]
    [InlineData("push settings", "SETTINGS ENABLE_PUSH=1", nameof(ErrorCode.UpstreamProtocol), false)]
    public async Task ServerAnswersBadly_RequestFails(string what, string frame, string code, bool retryable)
    {
        var stream = await RequestAsync();
        Send(frame);
        var error = await stream.ReadHeadAsync().AsTask().WaitAsync(time.Token);
        Assert.True(code == error.Code.ToString(), $"{what}: {error}");
        Assert.Equal(retryable, stream.IsRetryable);
        stream.Release();
    }

    [Theory]
    [InlineData("more than content-length", "DATA stream=1 text=abcdef", nameof(ErrorCode.UpstreamProtocol))]
    [InlineData("less than content-length", "DATA stream=1 flags=END_STREAM text=ab", nameof(ErrorCode.UpstreamProtocol))]
    [InlineData("trailers that do not end", "HEADERS stream=1 flags=END_HEADERS x=y", nameof(ErrorCode.UpstreamProtocol))]
    [InlineData("a reset", "RST_STREAM stream=1 code=CANCEL", nameof(ErrorCode.UpstreamReset))]
    [InlineData("a reset without error", "RST_STREAM stream=1 code=NO_ERROR", nameof(ErrorCode.UpstreamReset))]
    public async Task BodyEndsBadly_ReadFails(string what, string frame, string code)
    {
        var stream = await RequestAsync();
        Send("HEADERS stream=1 flags=END_HEADERS :status=200 content-length=5");
        Assert.Equal(200, await HeadAsync(stream));
        Send(frame);
        var read = await stream.ReadAsync().AsTask().WaitAsync(time.Token);
        Assert.True(code == read.Error.Code.ToString(), $"{what}: {read}");
        Assert.False(stream.IsRetryable);
        stream.Release();
    }

    [Fact]
    public async Task HeadRequest_HasNoBodyWhateverItsLength()
    {
        var stream = await OpenAsync();
        await stream.SendHeadAsync(JoinedRolesTests.Request("/", "HEAD"), end: true);
        await HelloAsync();
        Send("HEADERS stream=1 flags=END_STREAM|END_HEADERS :status=200 content-length=5");
        Assert.Equal(200, await HeadAsync(stream));
        Assert.True(stream.Head.EndsWithHead);
        Assert.Equal("", await BodyAsync(stream));
        stream.Release();
    }

    [Fact]
    public async Task EarlyAnswerThenResetWithoutError_AnswerStandsAndSendingEnds()
    {
        var stream = await OpenAsync();
        await stream.SendHeadAsync(JoinedRolesTests.Request("/"), end: false);
        await stream.FlushAsync();
        await HelloAsync();
        var sending = stream.SendAsync(new byte[100_000], true, null).AsTask(); // more than the window
        Send("HEADERS stream=1 flags=END_HEADERS :status=413", "DATA stream=1 flags=END_STREAM text=no", "RST_STREAM stream=1 code=NO_ERROR");
        Assert.False(await sending.WaitAsync(time.Token));
        Assert.Equal(413, await HeadAsync(stream));
        Assert.Equal("no", await BodyAsync(stream));
        stream.Release();
        Assert.True(connection.IsReusable);
    }

    [Fact]
    public async Task Abort_CancelsTheStreamOnly()
    {
        var stream = await RequestAsync();
        var reading = stream.ReadHeadAsync().AsTask();
        stream.Abort(new ProxyError(ErrorCode.ResponseTimeout, "test"));
        Assert.Equal(ErrorCode.ResponseTimeout, (await reading.WaitAsync(time.Token)).Code);
        await ExpectAsync("RST_STREAM", "stream=1", "code=CANCEL");
        stream.Release();
        stream.Abort(new ProxyError(ErrorCode.ResponseTimeout, "late")); // harmless
        var next = await OpenAsync();
        await next.SendHeadAsync(JoinedRolesTests.Request("/", "GET"), end: true);
        Send("DATA stream=1 text=late", "HEADERS stream=3 flags=END_STREAM|END_HEADERS :status=204");
        Assert.Equal(204, await HeadAsync(next));
        next.Release();
    }

    [Fact]
    public async Task AbortBeforeTheHead_SendsNothing()
    {
        var stream = await OpenAsync();
        stream.Abort(new ProxyError(ErrorCode.PolicyChanged, "test"));
        Assert.Equal(ErrorCode.PolicyChanged, (await stream.SendHeadAsync(JoinedRolesTests.Request("/"), end: true)).Code);
        stream.Release();
        Assert.True(connection.IsIdleNow);
    }

    [Fact]
    public async Task MaxConcurrentStreams_BoundsOpenStreams()
    {
        await HelloAsync(settings: "SETTINGS MAX_CONCURRENT_STREAMS=1");
        await ExpectAsync("SETTINGS", "ACK");
        var stream = await OpenAsync();
        Assert.False(connection.HasCapacity);
        var (none, error) = await connection.OpenStreamAsync();
        Assert.Null(none);
        Assert.True(error.IsError);
        stream.Release();
        Assert.True(connection.HasCapacity);
    }

    [Theory]
    [InlineData("SETTINGS ENABLE_CONNECT_PROTOCOL=1", true)]
    [InlineData("SETTINGS", false)]
    public async Task ExtendedConnect_WaitsForTheServersSettings(string settings, bool allowed)
    {
        var opening = connection.OpenStreamAsync(extendedConnect: true).AsTask();
        Assert.False(opening.IsCompleted);
        await HelloAsync(settings: settings);
        var (stream, _) = await opening.WaitAsync(time.Token);
        Assert.Equal(allowed, stream is not null);
        Assert.Equal(allowed, connection.AllowsExtendedConnect);
        stream?.Release();
    }

    [Fact]
    public async Task GoAway_LetsOldStreamsEndAndTakesNoNewOnes()
    {
        var stream = await RequestAsync();
        Send("GOAWAY last=1 code=NO_ERROR", "HEADERS stream=1 flags=END_HEADERS :status=200");
        Assert.Equal(200, await HeadAsync(stream));
        Assert.False(connection.IsReusable);
        Assert.Null((await connection.OpenStreamAsync()).Stream);
        Send("DATA stream=1 flags=END_STREAM text=ok");
        Assert.Equal("ok", await BodyAsync(stream));
        stream.Release();
        await connection.Ended.WaitAsync(time.Token);
    }

    [Fact]
    public async Task ServerCloses_RequestsFail()
    {
        var stream = await RequestAsync();
        pipe.Right.To.End();
        Assert.Equal(ErrorCode.UpstreamReset, (await stream.ReadHeadAsync().AsTask().WaitAsync(time.Token)).Code);
        stream.Release();
        await connection.Ended.WaitAsync(time.Token);
        Assert.False(connection.IsReusable);
        Assert.Equal(0, connection.Cluster.Stats.ConnectionsActive.Value);
    }

    [Fact]
    public async Task StreamAfterSilence_FollowsAPingWhoseAnswerIsAwaited()
    {
        using var quiet = new Pipe();
        using var client = JoinedRolesTests.Client(quiet.Left, Http2Options.Default with { KeepAliveIdleMillis = 1, KeepAliveTimeoutMillis = 1000 });
        var server = new FrameReader(quiet.Right.From);
        await server.SkipAsync(24, time.Token);
        Assert.Equal("SETTINGS", (await server.ReadAsync(time.Token))![0]);
        quiet.Right.To.Write([.. FrameText.Encode("SETTINGS"), .. FrameText.Encode("SETTINGS ACK")]);
        Assert.Contains("ACK", await NextAsync("SETTINGS"));
        var heard = Environment.TickCount64;
        await Patience.UntilAsync(() => Environment.TickCount64 > heard + 1, "the silence to be long enough");

        var (stream, _) = await client.OpenStreamAsync();
        await stream!.SendHeadAsync(JoinedRolesTests.Request("/", "GET"), end: true);
        Assert.Contains("hex=6B65657000000000", await NextAsync("PING"));
        Assert.Contains("stream=1", await NextAsync("HEADERS"));

        client.Sweep(Environment.TickCount64 + 2000);
        Assert.True((await stream.ReadHeadAsync().AsTask().WaitAsync(time.Token)).IsError);
        Assert.Equal(1, client.Cluster.Stats.Http2.KeepAliveTimeouts.Value);
        stream.Release();

        async Task<System.Collections.Generic.IReadOnlyList<string>> NextAsync(string type)
        {
            while (await server.ReadAsync(time.Token) is { } frame)
            {
                if (frame[0] == type)
                {
                    return frame;
                }
                Assert.Contains(frame[0], new[] { "WINDOW_UPDATE", "SETTINGS" });
            }
            throw new System.IO.EndOfStreamException(string.Join('\n', server.Seen));
        }
    }

    [Fact]
    public async Task IdleForTheClustersTime_IsClosed()
    {
        using var quiet = new Pipe();
        using var client = JoinedRolesTests.Client(quiet.Left, idleTimeout: TimeSpan.FromSeconds(5)); // less than what SETTINGS have to be answered in
        client.Sweep(Environment.TickCount64 + 4_000);
        Assert.True(client.IsReusable);
        client.Sweep(Environment.TickCount64 + 6_000);
        Assert.False(client.IsReusable);
        await client.Ended.WaitAsync(time.Token);
    }

    [Fact]
    public async Task BytesThatWereRead_AreCreditedThoughNothingMoreIsThere()
    {
        using var narrow = new Pipe();
        using var client = JoinedRolesTests.Client(narrow.Left, Http2Options.Default with { InitialStreamWindow = 65_535 });
        var server = new FrameReader(narrow.Right.From);
        var (stream, _) = await client.OpenStreamAsync();
        await stream!.SendHeadAsync(JoinedRolesTests.Request("/", "GET"), end: true);
        await server.SkipAsync(24, time.Token);
        narrow.Right.To.Write([.. FrameText.Encode("SETTINGS"), .. FrameText.Encode("SETTINGS ACK"), .. FrameText.Encode("HEADERS stream=1 flags=END_HEADERS :status=200")]);
        Assert.Equal(200, await HeadAsync(stream));
        var half = FrameText.Encode("DATA stream=1 text=" + new string('x', 16_384));
        narrow.Right.To.Write([.. half, .. half]);
        for (var left = 2 * 16_384; left > 0;)
        {
            var read = await stream.ReadAsync().AsTask().WaitAsync(time.Token);
            Assert.False(read.Error.IsError, read.Error.Detail);
            left -= read.Data.Length;
        }
        await Patience.UntilAsync(() => narrow.Right.To.IsReaderWaiting, "the client to have worked off all"); // so that nobody but the next read sends anything

        var pending = stream.ReadAsync().AsTask();

        while (await server.ReadAsync(time.Token) is { } frame && !(frame[0] == "WINDOW_UPDATE" && System.Linq.Enumerable.Contains(frame, "stream=1")))
        {
        }
        Assert.False(pending.IsCompleted);
        stream.Abort(new ProxyError(ErrorCode.ResponseTimeout, "test"));
        Assert.True((await pending.WaitAsync(time.Token)).Error.IsError);
        stream.Release();
    }

    [Fact]
    public async Task InterimHeadsWithoutEnd_ResetTheStream()
    {
        var stream = await RequestAsync();
        for (var i = 0; i < 20; i++)
        {
            Send("HEADERS stream=1 flags=END_HEADERS :status=103");
        }
        await ExpectAsync("RST_STREAM", "stream=1", "code=ENHANCE_YOUR_CALM");
        stream.Release();
    }

    private async Task<ServerStream> OpenAsync()
    {
        var (stream, error) = await connection.OpenStreamAsync();
        Assert.True(stream is not null, error.Detail);
        return stream;
    }

    private async Task<ServerStream> RequestAsync()
    {
        var stream = await OpenAsync();
        await stream.SendHeadAsync(JoinedRolesTests.Request("/", "GET"), end: true);
        await HelloAsync();
        await ExpectAsync("HEADERS", "stream=1");
        return stream;
    }

    private async Task HelloAsync(string expected = "SETTINGS", string settings = "SETTINGS")
    {
        await frames.SkipAsync(24, time.Token);
        await ExpectAsync("SETTINGS", expected);
        Send(settings, "SETTINGS ACK");
    }

    private void Send(params string[] lines)
    {
        foreach (var line in lines)
        {
            pipe.Right.To.Write(FrameText.Encode(line));
        }
    }

    private async Task ExpectAsync(params string[] wanted)
    {
        while (true)
        {
            var frame = await frames.ReadAsync(time.Token);
            Assert.True(frame is not null, $"the connection ended; wanted {string.Join(' ', wanted)}; seen:\n{string.Join('\n', frames.Seen)}");
            if (Array.TrueForAll(wanted, word => System.Linq.Enumerable.Contains(frame, word)))
            {
                return;
            }
            Assert.True(frame[0] is "SETTINGS" or "WINDOW_UPDATE" or "DATA", $"received {string.Join(' ', frame)}, wanted {string.Join(' ', wanted)}");
        }
    }

    private async Task<int> HeadAsync(ServerStream stream)
    {
        var error = await stream.ReadHeadAsync().AsTask().WaitAsync(time.Token);
        Assert.False(error.IsError, error.Detail);
        return stream.Head.Status;
    }

    private async Task<string> BodyAsync(ServerStream stream)
    {
        var text = new StringBuilder();
        while (true)
        {
            var read = await stream.ReadAsync().AsTask().WaitAsync(time.Token);
            Assert.False(read.Error.IsError, read.Error.Detail);
            text.Append(Encoding.Latin1.GetString(read.Data.Span));
            if (read.IsEnd)
            {
                return text.ToString();
            }
        }
    }
}
