using System;
using System.Diagnostics;
using System.Threading;

namespace Postern.Tests.Records;

/// <summary>Waits for a condition; fails with the state when it does not come true in time.</summary>
public static class Until
{
    public static void True(Func<bool> condition, Func<string> state, int seconds = 10)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed.TotalSeconds < seconds, $"not within {seconds} s: {state()}");
            Thread.Yield();
        }
    }
}
