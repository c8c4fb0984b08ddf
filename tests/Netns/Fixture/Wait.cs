using System;
using System.Diagnostics;
using System.Threading;

namespace Postern.Netns.Fixture;

/// <summary>Waits for a condition of the kernel or of another process, which gives no signal.</summary>
public static class Wait
{
    /// <exception cref="TimeoutException">After 30 s, longer than a busy machine ever needs, with the state that <paramref name="report"/> gives.</exception>
    public static void Until(Func<bool> condition, Func<string> report)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            if (clock.Elapsed > TimeSpan.FromSeconds(30))
            {
                throw new TimeoutException(report());
            }

            Thread.Sleep(10);
        }
    }
}
