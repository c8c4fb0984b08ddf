using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Postern.Agent.Supervise;

namespace Postern.Tests.Agent.Supervise;

/// <summary>Hands out <see cref="FakeProxy"/>s with pids from 1001.</summary>
internal sealed class FakeLauncher(Action<string> log) : IProxyLauncher
{
    private int next = 1000;

    public ConcurrentQueue<FakeProxy> Launched { get; } = new();

    public FakeProxy? ToAdopt { get; init; }

    public bool ObeysTerminate { get; init; } = true;

    /// <summary>When set, launches fail with it.</summary>
    public string? Failure { get; set; }

    public IReadOnlyList<string> Lines { get; init; } = [];

    public IProxyProcess Launch()
    {
        if (Failure is { } reason)
        {
            throw new ProxyLaunchException(reason);
        }
        log("proxy: launched");
        var proxy = new FakeProxy(++next, isAdopted: false, log) { ObeysTerminate = ObeysTerminate };
        Launched.Enqueue(proxy);
        return proxy;
    }

    public Task<IProxyProcess?> TryAdoptAsync(CancellationToken cancellationToken) => Task.FromResult<IProxyProcess?>(ToAdopt);

    public IReadOnlyList<string> LastLines(int count) => [.. Lines.TakeLast(count)];
}
