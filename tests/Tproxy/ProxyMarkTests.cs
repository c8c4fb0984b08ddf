using System;
using FsCheck;
using FsCheck.Fluent;
using Postern.Tproxy;

namespace Postern.Tests.Tproxy;

public sealed class ProxyMarkTests
{
    [Theory]
    [InlineData(ProxyDirection.Ingress, 0u, 0x0000_0A00u)]
    [InlineData(ProxyDirection.Egress, 0u, 0x0000_0B00u)]
    [InlineData(ProxyDirection.Ingress, 0x1234u, 0x1234_0A00u)]
    [InlineData(ProxyDirection.Egress, 0x56_1234u, 0x1234_0B56u)]
    public void IdentityAndDirection_MakeTheMark(ProxyDirection direction, uint identity, uint mark) =>
        Assert.Equal(mark, ProxyMark.For(direction, identity));

    [Fact]
    public void Endpoint_StandsInTheUpperHalf() => Assert.Equal(0xFFFE_0900u, ProxyMark.ForEndpoint(0xFFFE));

    [Fact]
    public void AnyIdentityThatFits_IsReadBackAndMatchesTheExemption() => Check.One(
        Config.QuickThrowOnFailure,
        Prop.ForAll(Gen.Choose(0, (int)ProxyMark.LargestIdentity).ToArbitrary(), identity =>
        {
            var mark = ProxyMark.For(identity % 2 == 0 ? ProxyDirection.Ingress : ProxyDirection.Egress, (uint)identity);
            return ProxyMark.Carries((uint)identity)
                && ProxyMark.IdentityOf(mark) == identity
                && (mark & ProxyMark.FromProxyMask) == ProxyMark.FromProxy
                && (mark & ProxyMark.MagicMask) != ProxyMark.ToProxy;
        }));

    [Fact]
    public void NodeLocalIdentity_DoesNotFit() => Assert.False(ProxyMark.Carries(0x0100_0001));

    [Fact]
    public void NoDirection_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => ProxyMark.For((ProxyDirection)7, 1));
}
