using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Channels;
using System.Threading.Tasks;
using Postern.Xds.Discovery;

namespace Postern.Tests.Xds.Discovery;

/// <summary>Keeps what is in force as the updates say, and lets a test wait for them.</summary>
internal sealed class RecordingSink : IResourceSink
{
    private readonly Channel<ResourceUpdate> updates = Channel.CreateUnbounded<ResourceUpdate>();
    private readonly Channel<IReadOnlyList<string>> timeouts = Channel.CreateUnbounded<IReadOnlyList<string>>();

    public Func<ResourceUpdate, IReadOnlyList<ResourceProblem>> OnApply { get; set; } = static _ => [];

    public SortedDictionary<string, string> InForce { get; } = new(StringComparer.Ordinal);

    public int Timeouts => timeouts.Reader.Count;

    public int Updates => updates.Reader.Count;

    public string Text => string.Join(" ", InForce.Select(pair => $"{pair.Key}={pair.Value}"));

    public Task<ResourceUpdate> UpdateAsync() => updates.Reader.ReadAsync().AsTask().WaitAsync(FakeControlPlane.Deadline);

    public Task<IReadOnlyList<string>> TimeoutAsync() => timeouts.Reader.ReadAsync().AsTask().WaitAsync(FakeControlPlane.Deadline);

    public IReadOnlyList<ResourceProblem> Apply(ResourceUpdate update)
    {
        var problems = OnApply(update);
        if (problems.Count > 0)
        {
            return problems;
        }
        if (update.IsFullSet)
        {
            InForce.Clear();
        }
        foreach (var name in update.Removed)
        {
            InForce.Remove(name);
        }
        foreach (var resource in update.Resources)
        {
            InForce[resource.Name] = (string)resource.Config;
        }
        updates.Writer.TryWrite(update);
        return [];
    }

    public void OnFetchTimeout(IReadOnlyList<string> names) => timeouts.Writer.TryWrite(names);
}
