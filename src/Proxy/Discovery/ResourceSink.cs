using System.Collections.Generic;
using System.Threading;
using Postern.Proxy.Admin;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>
/// What the sinks have in common: updates take turns at one gate, a refused update is remembered for <c>/xds</c> until the next good one, and
/// an update may come from the state on disk. Everything below <c>Locked</c> runs under the gate.
/// </summary>
internal abstract class ResourceSink(ResourceType type, ChangeGate gate) : IResourceSink
{
    private readonly Dictionary<string, ResourceStatus> refused = [];

    /// <summary>Kind of resource.</summary>
    public ResourceType Type { get; } = type;

    /// <summary>Serialises all changes of configuration.</summary>
    protected ChangeGate Gate { get; } = gate;

    /// <inheritdoc/>
    public IReadOnlyList<ResourceProblem> Apply(ResourceUpdate update) => Apply(update, Provenance.Source);

    /// <summary>Applies an update, all or nothing.</summary>
    /// <returns>Empty when it is accepted.</returns>
    public IReadOnlyList<ResourceProblem> Apply(ResourceUpdate update, Provenance provenance)
    {
        lock (Gate.Lock)
        {
            var problems = ApplyLocked(update, provenance);
            refused.Clear();
            foreach (var problem in problems)
            {
                var text = problem.Path.Length == 0 ? problem.Reason : problem.Path + ": " + problem.Reason;
                refused[problem.Resource] = new ResourceStatus(Type, problem.Resource, ResourceState.Rejected, update.Version, Gate.Now, [], text, null);
            }
            return problems;
        }
    }

    /// <inheritdoc/>
    public void OnFetchTimeout(IReadOnlyList<string> names)
    {
        lock (Gate.Lock)
        {
            OnFetchTimeoutLocked();
        }
    }

    /// <summary>Adds what there is to say of each resource.</summary>
    public void ReadStatus(List<ResourceStatus> into)
    {
        lock (Gate.Lock)
        {
            var errors = new Dictionary<string, ResourceStatus>(refused);
            foreach (var status in ReadLocked())
            {
                into.Add(errors.Remove(status.Name, out var error) && status.Error.Length == 0 ? status with { Error = error.Error } : status);
            }
            into.AddRange(errors.Values);
        }
    }

    protected abstract IReadOnlyList<ResourceProblem> ApplyLocked(ResourceUpdate update, Provenance provenance);

    protected abstract void OnFetchTimeoutLocked();

    protected abstract IEnumerable<ResourceStatus> ReadLocked();
}
