using System;
using System.Diagnostics;
using System.Threading;

namespace Postern.Tests.Netns.Proxy;

/// <summary>Waiting for another process on a busy machine: longer than a healthy one ever needs.</summary>
internal static class Patience
{
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    internal static int Milliseconds => (int)Limit.TotalMilliseconds;

    internal static void Until(Func<bool> condition, Func<string> report)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            if (clock.Elapsed > Limit)
            {
                throw new TimeoutException(report());
            }
            Thread.Sleep(10);
        }
    }
}
