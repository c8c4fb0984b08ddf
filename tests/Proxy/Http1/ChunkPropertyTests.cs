using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using Postern.Proxy.Http1;
using Postern.Tests.Fuzzing;

namespace Postern.Tests.Proxy.Http1;

/// <summary>Scanner and decoder against a decoder that only knows regular expressions.</summary>
public class ChunkPropertyTests
{
    private static readonly Regex SizeLine = new("^([0-9A-Fa-f]{1,15})(;[^\\x00-\\x08\\x0a-\\x1f]*)?\r\n", RegexOptions.CultureInvariant);
    private static readonly Regex Trailers = new("^([!#$%&'*+\\-.^_`|~0-9A-Za-z]+:[^\\x00-\\x08\\x0a-\\x1f\\x7f]*\r\n)*\r\n", RegexOptions.CultureInvariant);

    [Fact]
    [Trait("Fuzz", "http1-chunks")]
    public void MutatedChunks_DecodeAsThePlainDecoderSays() => FuzzRun.Repeat(11, run =>
    {
        var random = run.Random;
        var complete = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = run.Try(Corpus.Mutate(Corpus.Chunks[random.Next(Corpus.Chunks.Length)], random));
            var (data, length) = Plain(Encoding.Latin1.GetString(bytes));
            var scanner = new ChunkScanner();
            var scanned = scanner.Scan(bytes, out _);
            var decoded = Decode(bytes, random, out var consumed, out var done);
            Assert.True(scanner.IsDone == (length >= 0) && done == scanner.IsDone, Show(bytes));
            if (length >= 0)
            {
                complete++;
                Assert.Equal(length, scanned);
                Assert.Equal(length, consumed);
                Assert.Equal(data, decoded);
            }
        }
        Assert.True(complete > 1000, $"only {complete} messages were whole");
    });

    // The body readers of both sides: what a request may not say behind its body is an error, in a response it is left out.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Fuzz", "http1-chunks")]
    public void MutatedBodies_AreFramedAlikeInBothDirections(bool request) => FuzzRun.Repeat(12, run =>
    {
        var random = run.Random;
        var trailers = new TrailerSection(request);
        var complete = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = run.Try(Corpus.Mutate(Corpus.Chunks[random.Next(Corpus.Chunks.Length)], random));
            var text = Encoding.Latin1.GetString(bytes);
            var (data, length) = Plain(text);
            var framed = Frame(bytes, trailers, random, out var end, out var error);
            if (length < 0)
            {
                Assert.True(end < 0, Show(bytes));
                continue;
            }
            var forbidden = text[TrailersAt(text)..length].Split("\r\n").Any(line => line.Contains(':', StringComparison.Ordinal) && ForbiddenTrailers.Contains(line.Split(':')[0].AsSpan()));
            Assert.True(error == (request && forbidden ? Http1Error.ForbiddenTrailer : Http1Error.None), $"{error}: {Show(bytes)}");
            Assert.Equal(data, framed);
            if (error == Http1Error.None)
            {
                complete++;
                Assert.True(end == length, Show(bytes));
                for (var at = 0; at < (trailers.Fields?.Count ?? 0); at++)
                {
                    Assert.False(ForbiddenTrailers.Contains(trailers.Fields!.NameAt(at)), Show(bytes));
                }
            }
        }
        Assert.True(complete > 1000, $"only {complete} messages were whole");
    });

    // Behind the last chunk's line, of a message that is whole.
    private static int TrailersAt(string message)
    {
        for (var at = 0; ;)
        {
            var line = SizeLine.Match(message[at..]);
            var size = (int)long.Parse(line.Groups[1].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            at += line.Length;
            if (size == 0)
            {
                return at;
            }
            at += size + 2;
        }
    }

    // Fed as bytes arrive; end is where the body ended, -1 where it did not.
    private static string Frame(byte[] bytes, TrailerSection trailers, Random random, out int end, out Http1Error error)
    {
        var framer = BodyFramer.Chunked(trailers);
        var data = new List<byte>();
        var at = 0;
        error = Http1Error.None;
        for (var arrived = random.Next(bytes.Length + 1); ; arrived = Math.Min(bytes.Length, arrived + random.Next(1, 9)))
        {
            for (var moves = true; moves && error == Http1Error.None && !framer.IsComplete;)
            {
                error = framer.Next(bytes.AsSpan(at, arrived - at), out var framing, out var body);
                if (error == Http1Error.None)
                {
                    data.AddRange(bytes.AsSpan(at + framing, body));
                    at += framing + body;
                }
                moves = framing + body > 0;
            }
            if (error != Http1Error.None || framer.IsComplete || arrived == bytes.Length)
            {
                end = error == Http1Error.None && framer.IsComplete ? at : -1;
                return Encoding.Latin1.GetString(data.ToArray());
            }
        }
    }

    // Data and length of the message, or length -1: it is malformed or has no end.
    private static (string Data, int Length) Plain(string text)
    {
        var data = new StringBuilder();
        for (var at = 0; ;)
        {
            var line = SizeLine.Match(text[at..]);
            if (!line.Success)
            {
                return ("", -1);
            }
            at += line.Length;
            var size = long.Parse(line.Groups[1].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (size == 0)
            {
                var trailers = Trailers.Match(text[at..]);
                return trailers.Success ? (data.ToString(), at + trailers.Length) : ("", -1);
            }
            if (size + 2 > text.Length - at || text.Substring(at + (int)size, 2) != "\r\n")
            {
                return ("", -1);
            }
            data.Append(text, at, (int)size);
            at += (int)size + 2;
        }
    }

    private static string Decode(byte[] bytes, Random random, out int consumed, out bool done)
    {
        var decoder = new ChunkDecoder();
        var data = new List<byte>();
        var room = new byte[7];
        consumed = 0;
        for (var arrived = 0; ;)
        {
            var error = decoder.Decode(bytes.AsSpan(consumed, arrived - consumed), room.AsSpan(0, random.Next(1, room.Length)), out var taken, out var written);
            consumed += taken;
            data.AddRange(room.Take(written));
            if (error != Http1Error.None || decoder.IsDone || (taken == 0 && arrived == bytes.Length))
            {
                done = decoder.IsDone;
                return Encoding.Latin1.GetString(data.ToArray());
            }
            arrived = Math.Min(bytes.Length, arrived + (taken == 0 ? random.Next(1, 5) : 0));
        }
    }

    private static string Show(byte[] bytes) => InMemory.ReceivedBytes.Escape(Encoding.Latin1.GetString(bytes));
}
