using System;
using System.Buffers;
using System.Linq;
using Envoy.Service.Discovery.V3;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Postern.Xds.Discovery;
using Postern.Xds.Discovery.Protocol;

namespace Postern.Tests.Xds.Discovery;

/// <summary>The reader says what the generated parser says, and makes nothing twice.</summary>
public sealed class SotwResponseReaderTests
{
    private static readonly ResourceType Cds = ResourceType.Cluster, Npds = ResourceType.NetworkPolicy;

    private static ReadOnlySequence<byte> Split(byte[] bytes, int size)
    {
        var first = new Segment(ReadOnlyMemory<byte>.Empty, null);
        var last = first;
        foreach (var part in bytes.Chunk(size))
        {
            last = new Segment(part, last);
        }
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private static DiscoveryResponse Read(SotwResponseReader reader, IMessage response, int size = 7) => reader.Read(Split(response.ToByteArray(), size));

    private static DiscoveryResponse Full()
    {
        var response = Texts.Sotw(Npds, "1", "n1", "1=a", "2=b");
        response.Resources.Add(Texts.Wrap(Npds, "3", "3=c", ttlSeconds: 5));
        response.ResourceErrors.Add(new ResourceError { ResourceName = new ResourceName { Name = "4" }, ErrorDetail = new Google.Rpc.Status { Code = 5 } });
        response.ControlPlane = new Envoy.Config.Core.V3.ControlPlane { Identifier = "cp" };
        return response;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(4096)]
    public void Response_InAnyPieces_IsReadAsTheParserDoes(int size)
    {
        var reader = new SotwResponseReader();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(Full(), Read(reader, Full(), size));
        }
    }

    [Fact]
    public void RepeatedResource_IsTheSameObjectInAnyOrder()
    {
        var reader = new SotwResponseReader();
        var before = Read(reader, Texts.Sotw(Npds, "1", "1", "1=a", "2=b", "3=c")).Resources;
        var after = Read(reader, Texts.Sotw(Npds, "2", "2", "4=d", "3=c", "2=B", "1=a")).Resources;
        Assert.Same(before[2], after[1]);
        Assert.Same(before[0], after[3]);
        Assert.Equal(["4=d", "3=c", "2=B", "1=a"], after.Select(any => any.Value.ToStringUtf8()));
        Assert.Same(after[0].TypeUrl, after[2].TypeUrl);
    }

    [Fact]
    public void TypesOnOneStream_DoNotPushOutOneAnother()
    {
        var reader = new SotwResponseReader();
        var before = Read(reader, Texts.Sotw(Npds, "1", "1", "1=a")).Resources[0];
        Read(reader, Texts.Sotw(Cds, "1", "1", "c=1"));
        Assert.Same(before, Read(reader, Texts.Sotw(Npds, "2", "2", "1=a")).Resources[0]);
    }

    [Fact]
    public void SameValueOfAnotherType_IsAnotherObject()
    {
        var reader = new SotwResponseReader();
        var response = Texts.Sotw(Npds, "1", "1", "1=a");
        Read(reader, response);
        response.Resources[0].TypeUrl = Cds.TypeUrl;
        Assert.Equal(Cds.TypeUrl, Read(reader, response).Resources[0].TypeUrl);
    }

    [Fact]
    public void ResourceThatLeft_IsNotKept()
    {
        var reader = new SotwResponseReader();
        var gone = FirstOf(reader);
        Read(reader, Texts.Sotw(Npds, "2", "2", "2=b"));
        GC.Collect();
        Assert.False(gone.TryGetTarget(out _));
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference<object> FirstOf(SotwResponseReader reader) => new(Read(reader, Texts.Sotw(Npds, "1", "1", "1=a")).Resources[0]);

    [Fact]
    public void AnyBytes_AreReadAsTheParserDoes()
    {
        var seed = Full().ToByteArray();
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(5000), Prop.ForAll(Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), number =>
        {
            var random = new Random(number);
            var bytes = random.Next(4) == 0 ? new byte[random.Next(40)] : (byte[])seed.Clone();
            if (bytes.Length != seed.Length)
            {
                random.NextBytes(bytes);
            }
            for (var i = random.Next(4); i > 0 && bytes.Length > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            bytes = bytes[..(bytes.Length - random.Next(Math.Min(3, bytes.Length + 1)))];
            var reader = new SotwResponseReader();
            reader.Read(Split(seed, 9)); // so that some are repeated
            var size = 1 + random.Next(30);
            var expected = Attempt(() => DiscoveryResponse.Parser.ParseFrom(bytes));
            var found = Attempt(() => reader.Read(Split(bytes, size)));
            Assert.Equal(expected, found);
        }));
    }

    private static DiscoveryResponse? Attempt(Func<DiscoveryResponse> read)
    {
        try
        {
            return read();
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> bytes, Segment? previous)
        {
            Memory = bytes;
            if (previous is not null)
            {
                previous.Next = this;
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
            }
        }
    }
}
