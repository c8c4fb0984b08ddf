using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using FsCheck;
using FsCheck.Fluent;
using Postern.Proxy.Tls;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Tls;

/// <summary>The reader of names in certificates, which meets bytes that a peer chose.</summary>
public class SubjectAltNamesTests
{
    private static byte[] Names()
    {
        var builder = new SubjectAlternativeNameBuilder();
        builder.AddDnsName("a.test");
        builder.AddUri(new Uri("spiffe://mesh/one"));
        builder.AddEmailAddress("ops@a.test");
        builder.AddIpAddress(IPAddress.Parse("192.0.2.7"));
        builder.AddUserPrincipalName("passed over");
        return builder.Build().RawData;
    }

    [Fact]
    public void EveryKind_IsRead()
    {
        var names = new List<(SubjectAltNameKind Kind, string Text)>();
        Assert.True(SubjectAltNames.TryRead(Names(), names));
        Assert.Equal(
            [(SubjectAltNameKind.Email, "ops@a.test"), (SubjectAltNameKind.Dns, "a.test"), (SubjectAltNameKind.Uri, "spiffe://mesh/one"), (SubjectAltNameKind.IpAddress, "192.0.2.7")],
            names.Order());
    }

    [Theory]
    [InlineData("3006820461002E62")] // dNSName with a NUL
    [InlineData("3003820180")] // not ASCII
    [InlineData("30058703C00002")] // an address of three bytes
    [InlineData("300382017800")] // something behind
    [InlineData("3003820278")] // cut off
    public void BrokenNames_AreNone(string hex) => Assert.False(SubjectAltNames.TryRead(Convert.FromHexString(hex), []));

    [Fact]
    public void DamagedNames_AreReadOrRefused()
    {
        var seed = Names();
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(5000),
            Prop.ForAll(Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), number =>
            {
                var random = new Random(number);
                var bytes = (byte[])seed.Clone();
                for (var n = random.Next(1, 4); n > 0; n--)
                {
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                }
                bytes = bytes[..random.Next(1, bytes.Length + 1)];
                var names = new List<(SubjectAltNameKind Kind, string Text)>();
                return !SubjectAltNames.TryRead(bytes, names) || names.All(n => !n.Text.Contains('\0', StringComparison.Ordinal) && Enum.IsDefined(n.Kind));
            }));
    }
}
