using System;
using System.Text;
using Postern.Filters.Listener;

namespace Postern.Tests.Filters.Listener;

public class HttpProbeTests
{
    [Theory]
    [InlineData("GET / HTTP/1.1", PeekResult.Match, "http/1.1")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", PeekResult.Match, "h2c")]
    [InlineData("PRI * HTTP/2.0\r\n\r\n", PeekResult.NeedMore, "")]
    [InlineData("PRI x", PeekResult.Match, "http/1.1")]
    [InlineData("M-SEARCH ", PeekResult.Match, "http/1.1")]
    [InlineData("", PeekResult.NeedMore, "")]
    [InlineData("GET", PeekResult.NeedMore, "")]
    [InlineData(" GET", PeekResult.NoMatch, "")]
    [InlineData("SSH-2.0-x\r\n", PeekResult.NoMatch, "")]
    [InlineData("\x16\x03\x01", PeekResult.NoMatch, "")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA ", PeekResult.NoMatch, "")]
    public void FirstBytes_TellTheProtocol(string bytes, PeekResult expected, string protocol)
    {
        Assert.Equal(expected, HttpProbe.TryRead(Encoding.Latin1.GetBytes(bytes), out var actual));
        Assert.Equal(protocol, actual);
    }

    [Fact]
    public void MoreBytes_NeverChangeAnAnswer()
    {
        var random = new Random(4);
        var seeds = new[] { "GET / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x02\x00", "PRIX / HTTP/1.1\r\n" };
        for (var i = 0; i < 50_000; i++)
        {
            var bytes = Encoding.Latin1.GetBytes(seeds[random.Next(seeds.Length)]);
            if (random.Next(4) > 0)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            var first = PeekResult.NeedMore;
            for (var length = 0; length <= bytes.Length; length++)
            {
                var result = HttpProbe.TryRead(bytes.AsSpan(0, length), out _);
                Assert.True(first == PeekResult.NeedMore || result == first, $"{first} became {result} at {length} of {Convert.ToHexString(bytes)}");
                first = result;
            }
        }
    }
}
