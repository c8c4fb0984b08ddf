using System;
using Postern.Grpc;
using Postern.Xds.Discovery.Protocol;

namespace Postern.Tests.Xds.Discovery;

public sealed class StreamFailureLogTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;

    [Fact]
    public void Outage_OfTheUsualKind_IsAWarningWhenItLasts()
    {
        var log = new StreamFailureLog();
        Assert.False(log.IsWarning(StatusCode.Unavailable, hadResponse: false, Start));
        Assert.False(log.IsWarning(StatusCode.Unavailable, hadResponse: false, Start.AddSeconds(30)));
        Assert.True(log.IsWarning(StatusCode.Unavailable, hadResponse: false, Start.AddSeconds(31)));
        Assert.False(log.IsWarning(StatusCode.Unavailable, hadResponse: false, Start.AddSeconds(32)));
        Assert.Equal(TimeSpan.FromSeconds(40), log.OnResponse(Start.AddSeconds(40)));
        Assert.False(log.IsWarning(StatusCode.Unavailable, hadResponse: false, Start.AddSeconds(41)));
    }

    [Fact]
    public void Outage_OfAnotherKind_IsAWarningAtOnce() => Assert.True(new StreamFailureLog().IsWarning(StatusCode.Unimplemented, hadResponse: false, Start));

    [Fact]
    public void EndAfterAResponse_IsNoError() => Assert.False(new StreamFailureLog().IsWarning(StatusCode.Internal, hadResponse: true, Start));
}
