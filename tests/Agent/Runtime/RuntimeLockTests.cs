using System;
using Postern.Agent.Runtime;

namespace Postern.Tests.Agent.Runtime;

public sealed class RuntimeLockTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void SecondAgent_IsRefusedWithTheFolderAndTheKnob()
    {
        using var first = RuntimeLock.Take(folder.Path);

        var error = Assert.Throws<AgentStartException>(() => RuntimeLock.Take(folder.Path));

        Assert.Contains("another postern-agent", error.Message, StringComparison.Ordinal);
        Assert.Contains(folder.Path, error.Message, StringComparison.Ordinal);
        Assert.Contains("--runtime-dir", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FirstAgentEnds_TheNextHasTheFolder()
    {
        RuntimeLock.Take(folder.Path).Dispose();

        RuntimeLock.Take(folder.Path).Dispose();
    }
}
