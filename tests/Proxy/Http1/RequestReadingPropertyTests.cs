using System;
using System.Collections.Generic;
using System.Linq;
using Postern.Proxy.Http1;
using Postern.Tests.Fuzzing;

namespace Postern.Tests.Proxy.Http1;

/// <summary>Mutated streams through the readers of heads and bodies: no exception, no head that a plain judge finds ambiguous, and no difference by how bytes arrive.</summary>
public class RequestReadingPropertyTests
{
    private const int Rounds = 30_000;

    [Fact]
    [Trait("Fuzz", "http1-requests")]
    public void MutatedStreams_VetOnlyUnambiguousHeads() => FuzzRun.Repeat(20260101, run =>
    {
        var random = run.Random;
        var vetted = 0;
        for (var i = 0; i < Rounds; i++)
        {
            var stream = run.Try(Corpus.Mutate(Corpus.Requests[random.Next(Corpus.Requests.Length)], random));
            foreach (var head in Feed(stream, [stream.Length]).Heads)
            {
                vetted++;
                Assert.True(HeadJudge.WhyAmbiguous(head) is null, $"{HeadJudge.WhyAmbiguous(head)}: {Show(head)}");
            }
        }
        Assert.True(vetted > Rounds / 6, $"only {vetted} heads were vetted: the mutations are too wild to test anything");
    });

    [Fact]
    [Trait("Fuzz", "http1-requests")]
    public void AnySplit_GivesTheSameHeadsBytesAndError() => FuzzRun.Repeat(7, run =>
    {
        var random = run.Random;
        for (var i = 0; i < Rounds / 3; i++)
        {
            var seed = Corpus.Requests[random.Next(Corpus.Requests.Length)];
            var stream = run.Try(random.Next(3) == 0 ? seed : Corpus.Mutate(seed, random));
            var whole = Feed(stream, [stream.Length]);
            var split = Feed(stream, Cuts(stream.Length, random));
            // Which of two faults is named may depend on what has arrived; whether there is one may not.
            Assert.True((whole.Error == Http1Error.None) == (split.Error == Http1Error.None), $"{whole.Error} whole, {split.Error} split: {Show(stream)}");
            Assert.True(whole.Heads.Count == split.Heads.Count && whole.Heads.Zip(split.Heads).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second)), Show(stream));
            // A body that turns bad may have been shown up to the bad byte in pieces, but not in one; without an error the count is the same.
            Assert.True(whole.Error != Http1Error.None || whole.Vetted == split.Vetted, $"{whole.Vetted} whole, {split.Vetted} split: {Show(stream)}");
        }
    });

    private static int[] Cuts(int length, Random random)
    {
        var all = random.Next(2) == 0;
        return [.. Enumerable.Range(1, length).Where(i => all || i == length || random.Next(4) == 0)];
    }

    // As a connection does: shows the readers all bytes that have arrived and were not taken, again and again.
    private static (List<byte[]> Heads, int Vetted, Http1Error Error) Feed(byte[] stream, int[] arrivals)
    {
        var reader = new RequestHeadReader(4096, 50);
        var trailers = new TrailerSection(refusesForbidden: true);
        var body = BodyFramer.None();
        var heads = new List<byte[]>();
        var error = Http1Error.None;
        var at = 0;
        foreach (var arrived in arrivals)
        {
            for (var moves = true; moves && error == Http1Error.None;)
            {
                var before = at;
                if (!body.IsComplete)
                {
                    error = body.Next(stream.AsSpan(at, arrived - at), out var framing, out var data);
                    at += error == Http1Error.None ? framing + data : 0;
                }
                else
                {
                    at += reader.Skip(stream.AsSpan(at, arrived - at));
                    var taken = at < arrived ? reader.Read(stream.AsSpan(at, arrived - at)) : 0;
                    Assert.InRange(taken, 0, arrived - at);
                    error = reader.Error;
                    if (taken > 0)
                    {
                        heads.Add(stream[at..(at + taken)]);
                        body = reader.Head.IsChunked ? BodyFramer.Chunked(trailers) : BodyFramer.OfLength(Math.Max(0, reader.Head.ContentLength));
                    }
                    at += taken;
                }
                moves = at > before;
            }
        }
        return (heads, at, error);
    }

    private static string Show(byte[] bytes) => InMemory.ReceivedBytes.Escape(System.Text.Encoding.Latin1.GetString(bytes));
}
