using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Http2;
using Postern.Proxy.Stats;

namespace Postern.Tests.Proxy.Http2;

/// <summary>
/// Plays the files of Http2/Dialogues, once as they are written and once with one byte per read. Line by line:
/// <code>
/// # comment; the first ones say what is shown and which rule it is
/// set NAME VALUE     max-streams, stream-window, connection-window, max-head, max-headers, connect, idle-timeout, stream-idle, head-timeout, empty-frames, priority, resets,
///                    control-frames, keep-alive, drain-timeout, whole-only
/// C> FRAME           the client sends it; C> xN FRAME sends it N times, and of those a # stands for 1, 3, 5 and so on. See <see cref="FrameText"/>
/// C&lt; FRAME        the client must receive it next; each word must be among those of the frame. SETTINGS, WINDOW_UPDATE and PING are passed over where another is expected
/// hello              preface, SETTINGS and the acknowledgement, both ways
/// do ACTION          fin, drain, sweep SECONDS, abort, settle (the proxy has read everything)
/// expect STATE       closed (end of the connection), served N, end TEXT (of a request), stat NAME N, record REASON, no-record
/// </code>
/// </summary>
public sealed class FrameDialogueTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Http2", "Dialogues");

    public static TheoryData<string> All()
    {
        var data = new TheoryData<string>();
        foreach (var file in Directory.EnumerateFiles(Folder, "*.dialogue", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            data.Add(Path.GetRelativePath(Folder, file));
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(All))]
    public Task SentAsWritten_GoesAsTheFileSays(string file) => PlayAsync(file, int.MaxValue);

    [Theory]
    [MemberData(nameof(All))]
    public Task SentByteByByte_GoesAsTheFileSays(string file) => PlayAsync(file, 1);

    [Fact]
    public void Folder_HoldsDialogues() => Assert.True(All().Count >= 80, $"only {All().Count} dialogue files are beside the tests");

    private static async Task PlayAsync(string file, int maxRead)
    {
        var lines = await File.ReadAllLinesAsync(Path.Combine(Folder, file));
        if (maxRead == 1 && lines.Contains("set whole-only"))
        {
            return;
        }
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var talk = Start(lines, maxRead);
        for (var i = 0; i < lines.Length; i++)
        {
            try
            {
                await StepAsync(talk, lines[i], time.Token);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                Assert.Fail($"{file}:{i + 1}: {lines[i]}\n{e.GetType().Name}: {e.Message}\nframes:\n  {string.Join("\n  ", talk.Frames.Seen)}\nends:\n  {string.Join("\n  ", talk.Serve.Ends)}\nrecords:\n{talk.Records}");
            }
        }
        talk.Connection.Abort();
        await talk.Running.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(0, talk.Stats.StreamsActive.Value);
    }

    private static ClientTalk Start(string[] lines, int maxRead)
    {
        var options = new Http2Options();
        var change = (Postern.Proxy.Http.HttpListenerSnapshot snapshot) => snapshot;
        foreach (var words in lines.Where(line => line.StartsWith("set ", StringComparison.Ordinal)).Select(line => line.Split(' ')))
        {
            var number = words.Length > 2 ? int.Parse(words[2], CultureInfo.InvariantCulture) : 0;
            var before = change;
            switch (words[1])
            {
                case "max-streams": options = options with { MaxConcurrentStreams = number }; break;
                case "stream-window": options = options with { InitialStreamWindow = number }; break;
                case "connection-window": options = options with { InitialConnectionWindow = number }; break;
                case "connect": options = options with { AllowConnect = true }; break;
                case "empty-frames": options = options with { MaxConsecutiveEmptyFrames = number }; break;
                case "priority": options = options with { MaxPriorityFramesPerStream = number }; break;
                case "resets": options = options with { MaxPrematureResets = number }; break;
                case "control-frames": options = options with { MaxOutboundControlFrames = number }; break;
                case "drain-timeout": options = options with { DrainMillis = number * 1000 }; break;
                case "keep-alive": options = options with { KeepAliveMillis = number * 1000, KeepAliveTimeoutMillis = 1000 }; break;
                case "max-head": change = snapshot => before(snapshot) with { MaxHeadBytes = number }; break;
                case "max-headers": change = snapshot => before(snapshot) with { MaxHeaders = number }; break;
                case "idle-timeout": change = snapshot => before(snapshot) with { IdleTimeout = TimeSpan.FromSeconds(number) }; break;
                case "stream-idle": change = snapshot => before(snapshot) with { StreamIdleTimeout = TimeSpan.FromSeconds(number) }; break;
                case "head-timeout": change = snapshot => before(snapshot) with { RequestHeadersTimeout = TimeSpan.FromSeconds(number) }; break;
                case "whole-only": break;
                default: throw new InvalidOperationException($"unknown setting {words[1]}");
            }
        }
        return new ClientTalk(options, snapshot => change(snapshot) with { Http2 = options }, maxRead);
    }

    private static async Task StepAsync(ClientTalk talk, string line, CancellationToken cancellationToken)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0 || words[0].StartsWith('#') || words[0] == "set")
        {
            return;
        }
        switch (words[0])
        {
            case "hello":
                talk.Send([.. FrameText.Encode("PREFACE"), .. FrameText.Encode("SETTINGS"), .. FrameText.Encode("SETTINGS ACK")]);
                await ExpectAsync(talk, ["SETTINGS"], cancellationToken);
                await ExpectAsync(talk, ["SETTINGS", "ACK"], cancellationToken);
                break;
            case "C>":
                Send(talk, line[3..]);
                break;
            case "C<":
                await ExpectAsync(talk, words[1..], cancellationToken);
                break;
            case "do":
                await DoAsync(talk, words, cancellationToken);
                break;
            case "expect":
                await CheckAsync(talk, words, cancellationToken);
                break;
            default:
                Assert.Fail("unknown verb");
                break;
        }
    }

    private static void Send(ClientTalk talk, string text)
    {
        if (!text.StartsWith('x'))
        {
            talk.Send(FrameText.Encode(text));
            return;
        }
        var count = int.Parse(text.AsSpan(1, text.IndexOf(' ', StringComparison.Ordinal) - 1), CultureInfo.InvariantCulture);
        var frame = text[(text.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        var all = new List<byte>();
        for (var i = 0; i < count; i++)
        {
            foreach (var one in frame.Split(" ; "))
            {
                all.AddRange(FrameText.Encode(one.Replace("#", (1 + (2 * i)).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)));
            }
        }
        talk.Send(all.ToArray());
    }

    private static async Task ExpectAsync(ClientTalk talk, string[] wanted, CancellationToken cancellationToken)
    {
        while (true)
        {
            var frame = await talk.Frames.ReadAsync(cancellationToken);
            Assert.True(frame is not null, "the connection has ended");
            if (wanted.All(frame.Contains))
            {
                return;
            }
            Assert.True(frame[0] is "SETTINGS" or "WINDOW_UPDATE" or "PING", $"received {string.Join(' ', frame)}");
        }
    }

    private static async Task DoAsync(ClientTalk talk, string[] words, CancellationToken cancellationToken)
    {
        switch (words[1])
        {
            case "fin": talk.Fin(); break;
            case "drain": talk.Connection.BeginDrain(); break;
            case "abort": talk.Connection.Abort(); break;
            case "sweep": talk.Sweep(TimeSpan.FromSeconds(int.Parse(words[2], CultureInfo.InvariantCulture))); break;
            case "settle": await UntilAsync(() => talk.IsReaderWaiting, "the proxy does not read", cancellationToken); break;
            default: Assert.Fail("unknown action"); break;
        }
    }

    private static async Task CheckAsync(ClientTalk talk, string[] words, CancellationToken cancellationToken)
    {
        switch (words[1])
        {
            case "closed":
                while (await talk.Frames.ReadAsync(cancellationToken) is { } frame)
                {
                    Assert.True(frame[0] is "SETTINGS" or "WINDOW_UPDATE" or "PING", $"received {string.Join(' ', frame)}");
                }
                talk.Fin();
                await talk.Running.WaitAsync(cancellationToken);
                break;
            case "served":
                await UntilAsync(() => talk.Serve.Served == int.Parse(words[2], CultureInfo.InvariantCulture), $"served {talk.Serve.Served}", cancellationToken);
                break;
            case "end":
                await UntilAsync(() => talk.Serve.Ends.Contains(string.Join(' ', words[2..])), "no request ended so", cancellationToken);
                break;
            case "record":
                await UntilAsync(() => talk.Records.Seen.Any(record => record.Fields["reason"] == words[2]), "no such record", cancellationToken);
                break;
            case "no-record":
                Assert.Empty(talk.Records.Seen);
                break;
            case "stat":
                var counter = (Counter)typeof(Http2Stats).GetProperty(words[2])!.GetValue(talk.Stats)!;
                await UntilAsync(() => counter.Value == long.Parse(words[3], CultureInfo.InvariantCulture), $"{words[2]} is {counter.Value}", cancellationToken);
                break;
            default:
                Assert.Fail("unknown state");
                break;
        }
    }

    private static async Task UntilAsync(Func<bool> condition, string what, CancellationToken cancellationToken)
    {
        for (var until = Environment.TickCount64 + 10_000; !condition(); await Task.Delay(2, cancellationToken))
        {
            Assert.True(Environment.TickCount64 < until, what);
        }
    }
}
