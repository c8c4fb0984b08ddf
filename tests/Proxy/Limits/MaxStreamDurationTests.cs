using System;
using Postern.Policy.Config;
using Postern.Proxy.Http;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Limits;

/// <summary><c>max_stream_duration</c> of listener and route, and <c>grpc-timeout</c>.</summary>
public sealed class MaxStreamDurationTests
{
    private const string Plain = "GET / HTTP/1.1\r\nHost: a";
    private const string Grpc = "POST /s/m HTTP/1.1\r\nHost: a\r\ncontent-type: application/grpc";

    [Theory]
    [InlineData(null, null, null)]
    [InlineData(null, 5_000, 5_000)] // the listener's
    [InlineData(1_000, 5_000, 1_000)] // the route's
    [InlineData(1_000, null, 1_000)]
    [InlineData(0, 5_000, null)] // the route switches it off
    public void Route_OverridesTheListener(int? route, int? listener, int? expected) =>
        Assert.Equal(Time(expected), Route(Time(route), null, 0).MaxStreamDuration(HeadOf.Request(Plain), Time(listener)));

    [Theory]
    [InlineData("2S", 0, 0, 2_000)] // as it is
    [InlineData("2S", 1_000, 0, 1_000)] // no more than that
    [InlineData("500m", 1_000, 0, 500)]
    [InlineData("500m", 1_000, 200, 300)] // without the offset
    [InlineData("100m", 1_000, 200, 100)] // which is not taken off where nothing would be left
    [InlineData("0n", 0, 0, 1)] // no time left
    [InlineData("2x", 0, 0, 5_000)] // no such value: what holds without it
    [InlineData(null, 0, 0, 5_000)]
    public void GrpcTimeout_IsHonoured(string? header, int most, int offset, int expected) => Assert.Equal(
        Time(expected),
        Route(Time(5_000), Time(most), offset).MaxStreamDuration(header is null ? HeadOf.Request(Grpc) : HeadOf.Request(Grpc, "grpc-timeout: " + header), null));

    [Fact]
    public void GrpcTimeout_OfOtherRequestsOrRoutes_IsNotRead()
    {
        Assert.Null(Route(null, TimeSpan.Zero, 0).MaxStreamDuration(HeadOf.Request(Plain, "grpc-timeout: 1S"), null));
        Assert.Null(Route(null, null, 0).MaxStreamDuration(HeadOf.Request(Grpc, "grpc-timeout: 1S"), null));
    }

    [Theory]
    [InlineData("1H", 3_600_000)]
    [InlineData("3M", 180_000)]
    [InlineData("99999999S", 99_999_999_000)]
    [InlineData("7m", 7)]
    [InlineData("3000u", 3)]
    [InlineData("2000000n", 2)]
    public void Units_AreThoseOfGrpc(string text, double milliseconds) => Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), GrpcTimeout.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("1")]
    [InlineData("1s")]
    [InlineData("-1S")]
    [InlineData("+1S")]
    [InlineData("1.5S")]
    [InlineData("999999999S")]
    [InlineData("1 S")]
    [InlineData("٣S")]
    public void OtherText_IsNoTimeout(string text) => Assert.Null(GrpcTimeout.Parse(text));

    private static TimeSpan? Time(int? milliseconds) => milliseconds is { } value ? TimeSpan.FromMilliseconds(value) : null;

    private static Route Route(TimeSpan? own, TimeSpan? most, int offset) => HeadOf.Route(new RouteEntryConfig("", StringMatchKind.Prefix, "/", [], false, "c", null, null)
    {
        MaxStreamDuration = own,
        GrpcTimeoutHeaderMax = most,
        GrpcTimeoutHeaderOffset = TimeSpan.FromMilliseconds(offset),
    });
}
