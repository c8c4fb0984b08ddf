using System;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Postern.Proxy.LastGood;

namespace Postern.Tests.Proxy.Discovery;

/// <summary>The reader of state files meets anything.</summary>
public sealed class StateFileTests
{
    private static readonly SavedState Sample = new(
        "type.googleapis.com/cilium.NetworkPolicy", "node-1", "grpc agent", "42", DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123),
        [new SavedResource("1", "42", new Any { TypeUrl = "t", Value = ByteString.CopyFromUtf8("one") }), new SavedResource("2", "41", new Any { TypeUrl = "t" })]);

    [Fact]
    public void WrittenState_ReadsBack()
    {
        var read = StateFile.Decode(StateFile.Encode(Sample));

        Assert.Equal(Sample with { Resources = [] }, read with { Resources = [] }, (a, b) => (a.TypeUrl, a.NodeId, a.Source, a.Version, a.Confirmed) == (b.TypeUrl, b.NodeId, b.Source, b.Version, b.Confirmed));
        Assert.Equal(Sample.Resources, read.Resources);
    }

    [Fact]
    public void ConfirmationWrittenOverTheBeginning_ChangesTheTimeOnly()
    {
        var file = StateFile.Encode(Sample);
        StateFile.Confirmation(Sample.Confirmed + TimeSpan.FromHours(1)).CopyTo(file, 0);

        var read = StateFile.Decode(file);

        Assert.Equal((Sample.Confirmed + TimeSpan.FromHours(1), "42"), (read.Confirmed, read.Version));
    }

    [Fact]
    public void EveryCutAndEveryFlippedBit_IsRefused()
    {
        var file = StateFile.Encode(Sample);
        for (var length = 0; length < file.Length; length++)
        {
            Assert.Throws<StateFileException>(() => StateFile.Decode(file.AsSpan(0, length)));
        }
        for (var bit = 0; bit < file.Length * 8; bit++)
        {
            file[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<StateFileException>(() => StateFile.Decode(file));
            file[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void BodyOfAnyBytesUnderAGoodChecksum_IsReadOrRefused() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), body =>
        {
            var file = new byte[60 + body.Length];
            StateFile.Confirmation(Sample.Confirmed).CopyTo(file, 0);
            body.CopyTo(file, 60);
            System.Security.Cryptography.SHA256.HashData(body, file.AsSpan(28, 32));
            try
            {
                StateFile.Decode(file);
            }
            catch (StateFileException)
            {
            }
        }).QuickCheckThrowOnFailure();
}
