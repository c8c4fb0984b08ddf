using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Postern.Proxy.Http2;
using Postern.Proxy.Http2.Hpack;
using Postern.Tests.Proxy.Http2;
using Postern.Tests.Proxy.InMemory;

namespace Postern.Tests.Proxy.Dialogues;

/// <summary>
/// One end of a dialogue that speaks HTTP/2, by the words of <see cref="FrameText"/>. A frame meets an expectation when each of its words is among the frame's; a word
/// <c>!name</c> must not begin any of them. SETTINGS, WINDOW_UPDATE and PING are passed over where another frame is expected; the <c>text</c> of DATA may come
/// in several frames.
/// </summary>
internal sealed class FrameEnd(bool isServer) : IFieldSink
{
    private const int Header = 9;
    private const string Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    private readonly HpackDecoder decoder = new(4096);
    private readonly List<string> fields = [];
    private readonly List<string> lines = []; // the same, as they are
    private bool prefaceSeen = !isServer;
    private bool isUsed;
    private string gathered = ""; // of the DATA that is expected

    /// <summary>All frames so far, for messages.</summary>
    public List<string> Seen { get; } = [];

    /// <summary>What this end sends.</summary>
    public byte[] Encode(string line)
    {
        isUsed = true;
        return line != "hello"
            ? [.. line.Split(" ; ").SelectMany(FrameText.Encode)]
            : [.. isServer ? [] : FrameText.Encode("PREFACE"), .. FrameText.Encode(isServer ? "SETTINGS ENABLE_CONNECT_PROTOCOL=1" : "SETTINGS"), .. FrameText.Encode("SETTINGS ACK")];
    }

    /// <summary>Takes frames as long as they are passed over, and the one that is expected. False: it has not come yet.</summary>
    public bool TryMeet(ReceivedBytes end, string[] wanted)
    {
        isUsed = true;
        while (TryTake(end) is { } frame)
        {
            if (wanted[0] == "DATA" && frame[0] == "DATA" && frame[1] == wanted[1])
            {
                if (Gather(frame, wanted))
                {
                    return true;
                }
                continue;
            }
            if ((wanted[0] == "hello" && frame[0] == "SETTINGS") || wanted.All(word => word[0] == '!' ? !frame.Any(said => said.StartsWith(word[1..], StringComparison.Ordinal)) : frame.Contains(word)))
            {
                return true;
            }
            Assert.True(frame[0] is "SETTINGS" or "WINDOW_UPDATE" or "PING", $"received {string.Join(' ', frame)} in the place of {string.Join(' ', wanted)}, behind\n  {string.Join("\n  ", Seen)}");
        }
        return false;
    }

    /// <summary>The fields of the next HEADERS as lines; null: they have not come yet.</summary>
    public List<string>? TakeFields(ReceivedBytes end)
    {
        while (TryTake(end) is { } frame)
        {
            if (frame[0] == "HEADERS")
            {
                return [.. lines];
            }
        }
        return null;
    }

    /// <summary>What may come at any time is no rest.</summary>
    public void PassOver(ReceivedBytes end)
    {
        while (isUsed && TryTake(end) is { } frame)
        {
            Assert.True(frame[0] is "SETTINGS" or "WINDOW_UPDATE" or "PING" || (isServer && frame[0] == "GOAWAY" && frame.Contains("code=NO_ERROR")), $"left over: {string.Join(' ', frame)}");
        }
    }

    public bool OnField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool neverIndexed)
    {
        lines.Add($"{Encoding.Latin1.GetString(name)}: {Encoding.Latin1.GetString(value)}");
        fields.Add($"{Encoding.Latin1.GetString(name)}={Encoding.Latin1.GetString(value).Replace(" ", "\\s", StringComparison.Ordinal)}");
        return true;
    }

    // Both ends of a DATA's text are settled: by its length, and by END_STREAM if that is wanted.
    private bool Gather(IReadOnlyList<string> frame, string[] wanted)
    {
        var text = wanted.FirstOrDefault(word => word.StartsWith("text=", StringComparison.Ordinal))?[5..] ?? "";
        gathered += frame.First(word => word.StartsWith("text=", StringComparison.Ordinal))[5..];
        var (ends, wantsEnd) = (frame.Contains("END_STREAM"), wanted.Contains("END_STREAM"));
        Assert.True(text.StartsWith(gathered, StringComparison.Ordinal) && (!ends || (wantsEnd && gathered == text)), $"received DATA {gathered}{(ends ? " END_STREAM" : "")} in the place of {string.Join(' ', wanted)}");
        if (gathered != text || ends != wantsEnd)
        {
            return false;
        }
        gathered = "";
        return true;
    }

    private IReadOnlyList<string>? TryTake(ReceivedBytes end)
    {
        if (!prefaceSeen)
        {
            if (end.Count < Preface.Length)
            {
                return null;
            }
            Assert.Equal(Preface, Encoding.Latin1.GetString(end.Take(Preface.Length)));
            prefaceSeen = true;
        }
        var text = end.Text;
        if (text.Length < Header)
        {
            return null;
        }
        var length = (text[0] << 16) | (text[1] << 8) | text[2];
        if (text.Length < Header + length)
        {
            return null;
        }
        var bytes = end.Take(Header + length);
        var words = FrameText.Decode(bytes[3], bytes[4], ((bytes[5] & 127) << 24) | (bytes[6] << 16) | (bytes[7] << 8) | bytes[8], bytes[Header..], DecodeBlock);
        Seen.Add(string.Join(' ', words));
        return words;
    }

    private List<string> DecodeBlock(byte[] block)
    {
        fields.Clear();
        lines.Clear();
        Assert.Equal(HpackError.None, decoder.Decode(block, this));
        return fields;
    }
}
