using System;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Postern.Grpc.Headers;

namespace Postern.Tests.Grpc.Framing;

public sealed class HeaderValueTests
{
    [Fact]
    public void AnyText_SurvivesPercentEncoding() => Check.One(
        Config.QuickThrowOnFailure,
        Prop.ForAll(Gen.Choose(0, 0x10FFFF).Where(Rune.IsValid).Select(value => new Rune(value).ToString()).ArrayOf().ToArbitrary(), runes =>
        {
            var text = string.Concat(runes);
            var encoded = StatusMessage.Encode(text);
            Assert.False(encoded.AsSpan().ContainsAnyExceptInRange(' ', '~'));
            Assert.Equal(encoded.Trim(), encoded);
            return StatusMessage.Decode(encoded) == text;
        }));

    [Theory]
    [InlineData("%", "%")]
    [InlineData("%4", "%4")]
    [InlineData("%zz", "%zz")]
    [InlineData("%41%", "A%")]
    [InlineData("%ff", "\uFFFD")]
    [InlineData("%e8%b1%A1", "象")]
    public void MessageThatIsNotWellEncoded_IsReadAsFarAsItGoes(string encoded, string text) => Assert.Equal(text, StatusMessage.Decode(encoded));

    [Fact]
    public void AnyTimeout_IsNeverShortenedOnTheWire() => Check.One(
        Config.QuickThrowOnFailure,
        Prop.ForAll(Gen.Choose(1, int.MaxValue - 1).ToArbitrary(), seed =>
        {
            var timeout = TimeSpan.FromTicks(new Random(seed).NextInt64(1, TimeSpan.FromDays(3650).Ticks) >> (seed % 40));
            var text = GrpcTimeout.Format(timeout);
            return text.Length <= 9 && GrpcTimeout.TryParse(text, out var parsed) && parsed >= timeout;
        }));

    [Theory]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("1")]
    [InlineData("-1S")]
    [InlineData("1x")]
    [InlineData("123456789S")]
    public void TextThatIsNoTimeout_IsRefused(string text) => Assert.False(GrpcTimeout.TryParse(text, out _));
}
