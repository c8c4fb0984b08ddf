using System.Net;
using Postern.Tproxy;

namespace Postern.Tests.Tproxy;

public sealed class SourceBindingTests
{
    [Theory]
    [InlineData("10.0.0.1", "10.0.0.2", "10.0.0.1")]
    [InlineData("10.0.0.2", "10.0.0.2", null)]
    [InlineData("::ffff:10.0.0.2", "10.0.0.2", null)]
    [InlineData("::ffff:10.0.0.1", "10.0.0.2", "10.0.0.1")]
    [InlineData("fd00::1", "10.0.0.2", null)]
    [InlineData("10.0.0.1", "fd00::2", null)]
    [InlineData("fd00::1", "fd00::2", "fd00::1")]
    [InlineData("0.0.0.0", "10.0.0.2", null)]
    [InlineData("::", "fd00::2", null)]
    [InlineData(null, "10.0.0.2", null)]
    public void WantedSource_IsTakenOrLeftOut(string? wanted, string destination, string? chosen) =>
        Assert.Equal(Address(chosen), SourceBinding.Choose(Address(wanted), IPAddress.Parse(destination)));

    private static IPAddress? Address(string? text) => text is null ? null : IPAddress.Parse(text);
}
