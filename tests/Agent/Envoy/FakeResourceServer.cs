using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf.WellKnownTypes;
using Postern.Agent.Serve;
using Postern.Xds.Discovery;

namespace Postern.Tests.Agent.Envoy;

/// <summary>Writes down what is published and waited for, and answers at once.</summary>
internal sealed class FakeResourceServer : IResourceServer
{
    private readonly Dictionary<ResourceType, string> last = [];
    private ulong version;

    /// <summary>Like "CDS a,b" for a publication that changes something, and "wait CDS".</summary>
    public List<string> Steps { get; } = [];

    /// <summary>The proxy's answer to what stands; ACK when it has none.</summary>
    public Func<ResourceType, string, AckResult?> Answer { get; set; } = (_, _) => null;

    public string Names(ResourceType type) => last.GetValueOrDefault(type, "");

    public ulong Publish(ResourceType type, IReadOnlyDictionary<string, Any> resources)
    {
        var names = string.Join(',', resources.Keys.Order());
        if (!last.TryGetValue(type, out var before) || before != names)
        {
            Steps.Add($"{type} {names}");
            last[type] = names;
            version++;
        }
        return version;
    }

    public Task<AckResult> WaitForAckAsync(ResourceType type, ulong version, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (timeout > TimeSpan.Zero)
        {
            Steps.Add($"wait {type}");
        }
        return Task.FromResult(Answer(type, last[type]) ?? new AckResult(AckOutcome.Acked, ""));
    }

    public IReadOnlyList<StreamStatus> ReadStatus() => [];

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
