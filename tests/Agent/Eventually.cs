using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Tests.Agent;

/// <summary>Waits for what another task, thread or process does.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    /// <exception cref="TimeoutException">With what <paramref name="report"/> tells.</exception>
    public static async Task True(Func<bool> condition, Func<string> report)
    {
        var clock = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!condition())
        {
            if (clock.Elapsed > Limit)
            {
                throw new TimeoutException(report());
            }
            await timer.WaitForNextTickAsync();
        }
    }
}
