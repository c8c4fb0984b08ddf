using System;
using System.Threading;

namespace Postern.Proxy.Discovery;

/// <summary>One change of configuration at a time, whatever carried it; and the time of it.</summary>
internal sealed class ChangeGate(TimeProvider time)
{
    /// <summary>Held while a change is applied. The data path never takes it.</summary>
    public Lock Lock { get; } = new();

    /// <summary>Clock of everything that waits.</summary>
    public TimeProvider Time => time;

    /// <summary>UTC.</summary>
    public DateTimeOffset Now => time.GetUtcNow();
}
