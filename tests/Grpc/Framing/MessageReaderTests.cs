using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Threading;
using System.Threading.Tasks;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Postern.Grpc;
using Postern.Grpc.Framing;
using Postern.Tests.Grpc.Fixture;

namespace Postern.Tests.Grpc.Framing;

public sealed class MessageReaderTests
{
    private const int Limit = 1000;

    private static readonly Gen<byte[]> Bytes = Gen.Choose(0, 255).Select(value => (byte)value).ArrayOf();

    [Fact]
    public void AnySplitOfTheBytes_GivesTheSameMessages() => Check.One(
        Config.QuickThrowOnFailure,
        Prop.ForAll(Gen.Choose(1, int.MaxValue - 1).ToArbitrary(), seed =>
        {
            var random = new Random(seed);
            var stream = new MemoryStream();
            var wanted = new List<string>();
            for (var i = random.Next(1, 6); i > 0; i--)
            {
                wanted.Add(new string((char)('a' + i), random.Next(0, 300)));
                using var frame = MessageWriter.Frame(Text.Of(wanted[^1]), Limit, (MessageEncoding)random.Next(2));
                stream.Write(frame.Span);
            }
            var (read, error) = Read(stream.ToArray(), random);
            Assert.Null(error);
            Assert.Equal(wanted, read);
            return true;
        }));

    [Fact]
    public void AnyBytes_GiveMessagesOrAnRpcException() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(2000),
        Prop.ForAll(Bytes.ToArbitrary(), bytes =>
        {
            Read(bytes, new Random(bytes.Length));
            return true;
        }));

    /// <summary>A right prefix in front, so that what follows reaches the decompressor and the parser.</summary>
    [Fact]
    public void AnyPayload_GivesMessagesOrAnRpcException() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(2000),
        Prop.ForAll(Bytes.ToArbitrary(), bytes =>
        {
            Read(Framed(bytes, compressed: bytes.Length % 2 == 0), new Random(bytes.Length));
            return true;
        }));

    public static TheoryData<string, byte[], StatusCode> Seeds => new()
    {
        { "length of 4 GiB", [0, 0xFF, 0xFF, 0xFF, 0xFF], StatusCode.ResourceExhausted },
        { "one above the limit, nothing behind it", [0, 0, 0, 3, 0xE9], StatusCode.ResourceExhausted },
        { "an HTTP/1 answer", "HTTP/1.1 400 Bad Request"u8.ToArray(), StatusCode.Internal },
        { "half a prefix", [0, 0, 0], StatusCode.Internal },
        { "half a message", [0, 0, 0, 0, 9, 1, 2], StatusCode.Internal },
        { "compressed and empty", [1, 0, 0, 0, 0], StatusCode.Internal },
        { "compressed and no gzip", Framed(new byte[40], compressed: true), StatusCode.Internal },
        { "cut gzip", Framed(Gzip(new byte[500])[..^9], compressed: true), StatusCode.Internal },
        { "a gigabyte in gzip", Framed(Gzip(new byte[200_000]), compressed: true), StatusCode.ResourceExhausted },
        { "no protobuf", Framed([0xFF, 0xFF, 0xFF], compressed: false), StatusCode.Internal },
    };

    [Theory]
    [MemberData(nameof(Seeds))]
    public void WhatBreaksTheFraming_HasItsStatus(string what, byte[] bytes, StatusCode status)
    {
        Assert.NotEmpty(what);
        Assert.Equal(status, Read(bytes, new Random(1)).Error?.StatusCode);
    }

    private static byte[] Framed(byte[] payload, bool compressed)
    {
        var framed = new byte[MessageFraming.HeaderLength + payload.Length];
        MessageFraming.WriteHeader(framed, compressed, payload.Length);
        payload.CopyTo(framed, MessageFraming.HeaderLength);
        Assert.Equal((uint)payload.Length, BinaryPrimitives.ReadUInt32BigEndian(framed.AsSpan(1)));
        return framed;
    }

    private static byte[] Gzip(byte[] plain)
    {
        var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Optimal))
        {
            gzip.Write(plain);
        }
        return stream.ToArray();
    }

    private static (List<string> Messages, RpcException? Error) Read(byte[] bytes, Random random) => ReadAsync(bytes, random).AsTask().GetAwaiter().GetResult();

    private static async ValueTask<(List<string> Messages, RpcException? Error)> ReadAsync(byte[] bytes, Random random)
    {
        var reader = new MessageReader(PipeReader.Create(new SplitStream(bytes, random)), Limit, MessageEncoding.Gzip);
        var messages = new List<string>();
        try
        {
            while (await reader.ReadAsync(StringValue.Parser, CancellationToken.None) is { } message)
            {
                messages.Add(message.Value);
            }
            return (messages, null);
        }
        catch (RpcException e)
        {
            return (messages, e);
        }
        finally
        {
            reader.Complete();
        }
    }

    /// <summary>Gives its bytes in pieces of random size; never waits.</summary>
    private sealed class SplitStream(byte[] bytes, Random random) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            new(Read(buffer.Span[..Math.Min(buffer.Length, random.Next(1, 40))]));
    }
}
