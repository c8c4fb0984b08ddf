using System;
using System.Linq;
using Postern.Agent.Supervise;

namespace Postern.Tests.Agent.Supervise;

public sealed class RestartBackoffTests
{
    [Fact]
    public void EarlyEndsInARow_PausesDoubleUpToTenSeconds()
    {
        var backoff = new RestartBackoff(() => 1);

        var pauses = Enumerable.Range(0, 9).Select(_ => backoff.Next(TimeSpan.FromSeconds(1)).TotalMilliseconds);

        Assert.Equal([200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000], pauses);
    }

    [Fact]
    public void LongLife_PauseIsShortAgain()
    {
        var backoff = new RestartBackoff(() => 1);
        for (var i = 0; i < 5; i++)
        {
            backoff.Next(TimeSpan.Zero);
        }

        Assert.Equal(200, backoff.Next(RestartBackoff.Healthy).TotalMilliseconds);
        Assert.Equal(0, backoff.EarlyEnds);
    }

    [Theory]
    [InlineData(0, 100)]
    [InlineData(0.5, 150)]
    [InlineData(1, 200)]
    public void Jitter_IsHalfOfTheStep(double random, double milliseconds) =>
        Assert.Equal(milliseconds, new RestartBackoff(() => random).Next(TimeSpan.Zero).TotalMilliseconds);
}
