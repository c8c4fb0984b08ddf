using System;
using System.Threading.Tasks;

namespace Postern.Tests.Proxy.InMemory;

/// <summary>Waits for what other threads bring about; a wait that is in vain fails and says how things stand.</summary>
internal static class Patience
{
    private const long Millis = 60_000;

    public static async Task UntilAsync(Func<bool> condition, string what, Func<string>? state = null)
    {
        for (var end = Environment.TickCount64 + Millis; !condition(); await Task.Delay(2))
        {
            Assert.True(Environment.TickCount64 < end, $"waited {Millis / 1000} s in vain for {what}\n{state?.Invoke()}");
        }
    }
}
