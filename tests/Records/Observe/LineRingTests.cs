using System;
using System.Collections.Generic;
using System.Text;
using Postern.Records.Observe;

namespace Postern.Tests.Records.Observe;

public class LineRingTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(77)]
    public void RandomReadersAndWriters_SeeEveryLineOnceInOrderOrAsLost(int seed)
    {
        var random = new Random(seed);
        var ring = new LineRing(random.Next(1, 40), random.Next(60, 400));
        var sent = new List<string>();
        var readers = new long[4]; // place of each reader
        var buffer = new byte[64];
        for (var step = 0; step < 20_000; step++)
        {
            if (random.Next(3) != 0)
            {
                var line = $"{sent.Count}{new string('x', random.Next(40))}\n";
                Assert.True(ring.Add(Encoding.ASCII.GetBytes(line)));
                sent.Add(line);
                continue;
            }

            ref var from = ref readers[random.Next(readers.Length)];
            var before = from;
            var size = ring.Read(ref from, long.MaxValue, buffer, out var lost);
            Assert.InRange(from, before + lost, sent.Count);
            Assert.Equal(string.Concat(sent[(int)(before + lost)..(int)from]), Encoding.ASCII.GetString(buffer, 0, size));
            Assert.True(size > 0 || from == sent.Count, "a reader with lines ahead got none");
        }
    }

    [Fact]
    public void Last_IsBoundedByWhatIsHeld()
    {
        var ring = new LineRing(maxRecords: 3, maxBytes: 100);
        Assert.Equal(0, ring.Last(10, out var live));
        Assert.Equal(0, live);
        for (var i = 0; i < 10; i++)
        {
            ring.Add("a\n"u8);
        }

        Assert.Equal(7, ring.Last(10, out live));
        Assert.Equal(10, live);
        Assert.Equal(9, ring.Last(1, out _));
    }

    [Fact]
    public void LineLongerThanTheRing_IsRefused()
    {
        Assert.False(new LineRing(3, 10).Add(new byte[11]));
    }
}
