using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Postern.Filters.Listener;
using Postern.Tests.Fuzzing;

namespace Postern.Tests.Filters.Listener;

/// <summary>The hello reader on hellos built here, cut in every way, and mutated.</summary>
public class ClientHelloTests
{
    [Theory]
    [InlineData(65536)]
    [InlineData(100)]
    [InlineData(7)]
    [InlineData(1)]
    public void Hello_GivesNameAndProtocols_HoweverItIsCutIntoRecords(int recordSize)
    {
        var bytes = Records(Message(ServerName("Example.COM"), Alpn("h2", "http/1.1"), Extension(43, [2, 3, 4])), recordSize);
        Assert.Equal(PeekResult.Match, ClientHello.TryRead(bytes, out var hello));
        Assert.Equal("example.com", hello!.ServerName);
        Assert.Equal(["h2", "http/1.1"], hello.ApplicationProtocols);
    }

    [Theory]
    [InlineData(65536)]
    [InlineData(9)]
    public void EveryPrefix_NeedsMore(int recordSize)
    {
        var bytes = Records(Message(ServerName("a.b"), Alpn("h2")), recordSize);
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.True(ClientHello.TryRead(bytes.AsSpan(0, length), out _) == PeekResult.NeedMore, $"prefix of {length} bytes");
        }
    }

    [Fact]
    public void PostQuantumHelloOverTwoFullRecords_IsRead()
    {
        var bytes = Records(Message(Extension(51, new byte[30_000]), ServerName("pq.example")), 16 * 1024);
        Assert.Equal(PeekResult.Match, ClientHello.TryRead(bytes, out var hello));
        Assert.Equal("pq.example", hello!.ServerName);
    }

    [Fact]
    public void NoExtensions_HasNoName()
    {
        Assert.Equal(PeekResult.Match, ClientHello.TryRead(Records(Message(), 65536), out var hello));
        Assert.Equal("", hello!.ServerName);
        Assert.Empty(hello.ApplicationProtocols);
    }

    [Fact]
    public void TwoServerNameExtensions_AreMalformed() =>
        Assert.Equal(PeekResult.Malformed, ClientHello.TryRead(Records(Message(ServerName("a"), ServerName("b")), 65536), out _));

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a\0.allowed")]
    [InlineData("\u00e9")]
    public void OddServerName_IsMalformed(string name) =>
        Assert.Equal(PeekResult.Malformed, ClientHello.TryRead(Records(Message(ServerName(name)), 65536), out _));

    [Fact]
    public void OtherHandshakeMessage_IsMalformed() => Assert.Equal(PeekResult.Malformed, ClientHello.TryRead([0x16, 3, 1, 0, 4, 2, 0, 0, 0], out _));

    [Fact]
    public void EmptyRecord_IsMalformed() => Assert.Equal(PeekResult.Malformed, ClientHello.TryRead([0x16, 3, 1, 0, 0], out _));

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("\x16\x02")]
    public void OtherProtocol_IsNoMatch(string bytes) => Assert.Equal(PeekResult.NoMatch, ClientHello.TryRead(Encoding.Latin1.GetBytes(bytes), out _));

    [Fact]
    [Trait("Fuzz", "client-hello")]
    public void MutatedHellos_NeverThrowAndNameOnlyWhatIsInThem() => FuzzRun.Repeat(9, run =>
    {
        var random = run.Random;
        var seed = Records(Message(ServerName("secret.example"), Alpn("h2", "http/1.1"), Extension(10, [0, 2, 0, 29])), 80);
        var matches = 0;
        for (var i = 0; i < 100_000; i++)
        {
            var bytes = seed.ToArray();
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            run.Try(bytes);
            var cut = bytes.AsSpan(0, random.Next(bytes.Length + 1));
            if (ClientHello.TryRead(random.Next(2) == 0 ? bytes : cut, out var hello) == PeekResult.Match)
            {
                matches++;
                Assert.All(hello!.ServerName, c => Assert.InRange(c, '!', '~'));
                Assert.True(hello.ServerName.Length <= 255);
            }
            else
            {
                Assert.Null(hello);
            }
        }
        Assert.True(matches > 1000, $"only {matches} mutations were still hellos");
    });

    [Fact]
    [Trait("Fuzz", "client-hello")]
    public void MoreBytes_NeverChangeAnAnswer() => FuzzRun.Repeat(10, run =>
    {
        var random = run.Random;
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = Records(Message(ServerName("a.b")), random.Next(1, 60));
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            run.Try(bytes);
            var first = PeekResult.NeedMore;
            for (var length = 0; length <= bytes.Length; length++)
            {
                var result = ClientHello.TryRead(bytes.AsSpan(0, length), out _);
                Assert.True(first == PeekResult.NeedMore || result == first, $"{first} became {result} at {length} of {Convert.ToHexString(bytes)}");
                first = result;
            }
        }
    });

    private static byte[] Message(params byte[][] extensions)
    {
        var all = extensions.SelectMany(e => e).ToArray();
        byte[] body = [3, 3, .. new byte[32], 0, 0, 2, 0x13, 1, 1, 0, .. extensions.Length == 0 ? [] : Vector16(all)];
        return [1, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];
    }

    private static byte[] Records(byte[] message, int size)
    {
        var bytes = new List<byte>();
        foreach (var part in message.Chunk(Math.Min(size, 16 * 1024)))
        {
            bytes.AddRange([0x16, 3, 1, .. Vector16(part)]);
        }
        return [.. bytes];
    }

    private static byte[] ServerName(string name) => Extension(0, Vector16([0, .. Vector16(Encoding.Latin1.GetBytes(name))]));

    private static byte[] Alpn(params string[] names) => Extension(16, Vector16([.. names.SelectMany(n => (byte[])[(byte)n.Length, .. Encoding.Latin1.GetBytes(n)])]));

    private static byte[] Extension(int type, byte[] data) => [(byte)(type >> 8), (byte)type, .. Vector16(data)];

    private static byte[] Vector16(byte[] data) => [(byte)(data.Length >> 8), (byte)data.Length, .. data];
}
