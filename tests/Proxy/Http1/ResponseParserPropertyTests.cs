using System;
using System.Linq;
using System.Text;
using Postern.Proxy.Http1;
using Postern.Tests.Fuzzing;

namespace Postern.Tests.Proxy.Http1;

/// <summary>Mutated response heads: no exception, and nothing taken whose end two parsers would see at different places.</summary>
public class ResponseParserPropertyTests
{
    [Fact]
    [Trait("Fuzz", "http1-responses")]
    public void MutatedHeads_AreTakenOnlyWithOneFraming() => FuzzRun.Repeat(5, run =>
    {
        var random = run.Random;
        var taken = 0;
        var head = new ResponseHead();
        for (var i = 0; i < 30_000; i++)
        {
            var bytes = run.Try(Corpus.Mutate(Corpus.Responses[random.Next(Corpus.Responses.Length)], random));
            var end = bytes.AsSpan().IndexOf("\r\n\r\n"u8);
            if (end < 0 || ResponseParser.Parse(bytes.AsSpan(0, end + 4), head, 50) != Http1Error.None)
            {
                continue;
            }
            taken++;
            // The judge of request heads does for responses when the first line is replaced by one it knows.
            var text = Encoding.Latin1.GetString(bytes, 0, end + 4);
            var fields = text[text.IndexOf("\r\n", StringComparison.Ordinal)..];
            var why = HeadJudge.WhyAmbiguous(Encoding.Latin1.GetBytes((head.IsHttp10 ? "GET / HTTP/1.0" : "GET / HTTP/1.1") + fields));
            Assert.True(why is null or "host", $"{why}: {InMemory.ReceivedBytes.Escape(text)}");
            Assert.Equal(fields.Contains("\r\ntransfer-encoding:", StringComparison.OrdinalIgnoreCase), head.IsChunked);
            Assert.Equal(fields.Contains("\r\ncontent-length:", StringComparison.OrdinalIgnoreCase), head.ContentLength >= 0);
            Assert.InRange(head.Status, 100, 999);
        }
        Assert.True(taken > 5000, $"only {taken} heads were taken");
    });
}
