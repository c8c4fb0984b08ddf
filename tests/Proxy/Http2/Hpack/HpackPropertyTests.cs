using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Postern.Proxy.Http2.Hpack;
using Postern.Tests.Fuzzing;

namespace Postern.Tests.Proxy.Http2.Hpack;

/// <summary>What is encoded is decoded, and what nobody encoded does no harm.</summary>
public sealed class HpackPropertyTests
{
    private static readonly string[] Names = [":path", ":authority", "cookie", "accept", "x-a", "x-b", "x-long-name-that-is-no-other", "content-type", "authorization", "via"];

    private static readonly Gen<string> Values = Gen.OneOf(
        Gen.Elements("", "/", "gzip, deflate", "a", "b", "application/grpc", "0123456789"),
        Gen.Choose(0, 255).Select(c => (char)c).ArrayOf().Select(chars => new string(chars)),
        Gen.Choose(0, 3000).Select(length => new string('v', length)));

    private static readonly Gen<(string Name, string Value, bool Never)> Fields =
        from name in Gen.Elements(Names)
        from value in Values
        from never in Gen.Frequency((9, Gen.Constant(false)), (1, Gen.Constant(true)))
        select (name, value, never);

    private static readonly Gen<(int Size, (string Name, string Value, bool Never)[] Fields)> Blocks =
        from size in Gen.Frequency((6, Gen.Constant(-1)), (1, Gen.Choose(0, 5000)), (1, Gen.Constant(0)))
        from fields in Fields.ArrayOf()
        select (size, fields);

    [Fact]
    [Trait("Fuzz", "hpack")]
    public void AnyBlocks_AreDecodedAsTheyWereEncoded() => FuzzRun.Repeat(0, _ =>
        Prop.ForAll(Blocks.ArrayOf().ToArbitrary(), blocks =>
        {
            var encoded = new EncodedBlocks();
            var decoder = new HpackDecoder(5000);
            foreach (var (size, fields) in blocks)
            {
                if (size >= 0)
                {
                    encoded.Encoder.SetPeerTableSize(size);
                }
                var sink = new FieldList();
                Assert.Equal(HpackError.None, decoder.Decode(encoded.Encode(fields), sink));
                // The encoder may say "never" more often than it was told.
                Assert.Equal(fields.Select(field => $"{field.Name}: {field.Value}"), sink.Lines.Select(line => line.TrimStart('!')));
                Assert.All(fields.Zip(sink.Lines), pair => Assert.True(!pair.First.Never || pair.Second.StartsWith('!')));
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(400)));

    [Fact]
    [Trait("Fuzz", "hpack")]
    public void MutatedBlocks_GiveFieldsOrAnErrorAndHoldLittle() => FuzzRun.Repeat(7541, run =>
    {
        var seeds = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Corpus", "hpack"), "*.hex").Order(StringComparer.Ordinal)
            .Select(file => File.ReadLines(file).Select(Block.Hex).ToArray()).ToArray();
        Assert.NotEmpty(seeds);
        var random = run.Random;
        int good = 0, bad = 0;
        for (var i = 0; i < 30_000; i++)
        {
            var decoder = new HpackDecoder(random.Next(3) == 0 ? 0 : 4096);
            foreach (var block in seeds[random.Next(seeds.Length)])
            {
                var bytes = run.Try(random.Next(3) == 0 ? block : Mutate(block, random));
                var sink = new Meter(bytes.Length);
                if (decoder.Decode(bytes, sink) != HpackError.None)
                {
                    bad++;
                    break;
                }
                good++;
            }
        }
        Assert.True(good > 5000 && bad > 5000, $"{good} good blocks, {bad} bad ones: the mutations test little");
    });

    [Fact]
    [Trait("Fuzz", "hpack")]
    public void NoiseOfAllKinds_GivesFieldsOrAnError() => FuzzRun.Repeat(1, run =>
    {
        var random = run.Random;
        var bytes = new byte[512];
        for (var i = 0; i < 50_000; i++)
        {
            random.NextBytes(bytes);
            run.Try(bytes);
            var block = bytes.AsSpan(0, random.Next(bytes.Length));
            new HpackDecoder(4096).Decode(block, new Meter(block.Length));
        }
    });

    private static byte[] Mutate(byte[] seed, Random random)
    {
        var bytes = seed.ToList();
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var at = random.Next(bytes.Count + 1);
            switch (random.Next(5))
            {
                case 0 when at < bytes.Count:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1 when at < bytes.Count:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2 when at < bytes.Count:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 6), bytes.Count - at));
                    break;
                case 3:
                    bytes.Insert(at, (byte)(new[] { 0x80, 0xFF, 0x7F, 0x20, 0x3F, 0x40, 0x00, 0x10, 0xBE, 0xBF })[random.Next(10)]);
                    break;
                default:
                    bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, Math.Min(random.Next(1, 40), bytes.Count - at)));
                    break;
            }
        }
        return [.. bytes];
    }

    // A field is never longer than its block could say, or the table could hold.
    private sealed class Meter(int blockLength) : Postern.Proxy.Http2.IFieldSink
    {
        public bool OnField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool neverIndexed)
        {
            Assert.InRange(name.Length + value.Length, 0, 4096 + (blockLength * 8 / 5));
            return true;
        }
    }
}
