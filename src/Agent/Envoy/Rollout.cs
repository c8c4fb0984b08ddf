using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf.WellKnownTypes;
using Postern.Agent.Serve;
using Postern.Xds.Discovery;
using ResourceMap = System.Collections.Generic.IReadOnlyDictionary<string, Google.Protobuf.WellKnownTypes.Any>;

namespace Postern.Agent.Envoy;

/// <summary>
/// Brings sets of resources out in the order that leaves no gap: what is named before what names it, and what is not named any more goes last.
/// Remembers the last set of each type that was accepted and returns to it after a NACK. One rollout at a time; cancel one to supersede it.
/// </summary>
public sealed class Rollout(IResourceServer server, RolloutOptions options)
{
    // While listeners change, both the old and the new of these are served. In the order in which they go: who names others first.
    private static readonly ResourceType[] Named = [ResourceType.Route, ResourceType.Cluster, ResourceType.Endpoint, ResourceType.Secret];

    private readonly Dictionary<ResourceType, ResourceMap> accepted = [];
    private readonly Dictionary<ResourceType, ResourceMap> served = [];
    private readonly Dictionary<ResourceType, ulong> versions = [];
    private readonly Dictionary<ResourceType, AckResult> results = [];

    /// <summary>Publishes all types and waits for clusters, listeners and policies.</summary>
    /// <param name="resources">All types, from <see cref="AgentResources"/>.</param>
    /// <param name="cancellationToken">Gives up waiting; what was published stays.</param>
    public async Task<RolloutResult> ApplyAsync(IReadOnlyDictionary<ResourceType, ResourceMap> resources, CancellationToken cancellationToken)
    {
        await CatchUpAsync(cancellationToken).ConfigureAwait(false);
        PublishNamed(ResourceType.Secret, resources); // policies name secrets too
        Publish(ResourceType.NetworkPolicyHosts, resources[ResourceType.NetworkPolicyHosts]);
        Publish(ResourceType.NetworkPolicy, resources[ResourceType.NetworkPolicy]);
        PublishNamed(ResourceType.Endpoint, resources);
        PublishNamed(ResourceType.Cluster, resources);
        PublishNamed(ResourceType.Route, resources);
        await SettleAsync(ResourceType.Cluster, options.ConfigTimeout, cancellationToken).ConfigureAwait(false);
        Publish(ResourceType.Listener, resources[ResourceType.Listener]);
        await SettleAsync(ResourceType.Listener, options.ConfigTimeout, cancellationToken).ConfigureAwait(false);

        // Without a listener nobody subscribes to policies.
        var policyTimeout = resources[ResourceType.Listener].Count > 0 ? options.PolicyTimeout : TimeSpan.Zero;
        await SettleAsync(ResourceType.NetworkPolicy, policyTimeout, cancellationToken).ConfigureAwait(false);
        foreach (var type in (ResourceType[])[ResourceType.NetworkPolicyHosts, ResourceType.Route, ResourceType.Endpoint, ResourceType.Secret])
        {
            await SettleAsync(type, TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
        }
        Shrink(resources);
        return new RolloutResult(new Dictionary<ResourceType, AckResult>(results));
    }

    // Answers that came after the last rollout had stopped waiting.
    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        results.Clear();
        foreach (var (type, version) in versions)
        {
            var result = await server.WaitForAckAsync(type, version, TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
            if (result.Outcome == AckOutcome.Acked)
            {
                accepted[type] = served[type];
            }
        }
    }

    private void PublishNamed(ResourceType type, IReadOnlyDictionary<ResourceType, ResourceMap> resources) => Publish(type, Union(type, resources[type]));

    private void Publish(ResourceType type, ResourceMap set)
    {
        versions[type] = server.Publish(type, set);
        served[type] = set;
    }

    // Listeners that are in force may still name what the new set lacks.
    private ResourceMap Union(ResourceType type, ResourceMap set)
    {
        if (!served.TryGetValue(type, out var old))
        {
            return set;
        }
        Dictionary<string, Any>? both = null;
        foreach (var (name, resource) in old)
        {
            if (!set.ContainsKey(name))
            {
                both ??= new Dictionary<string, Any>(set, StringComparer.Ordinal);
                both.Add(name, resource);
            }
        }
        return both ?? set;
    }

    private async Task SettleAsync(ResourceType type, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var result = await server.WaitForAckAsync(type, versions[type], timeout, cancellationToken).ConfigureAwait(false);
        results[type] = result;
        if (result.Outcome == AckOutcome.Acked)
        {
            accepted[type] = served[type];
        }
        else if (result.Outcome == AckOutcome.Nacked)
        {
            // Never accepted anything: an empty set, which denies, rather than one that a new proxy would refuse again.
            Publish(type, accepted.GetValueOrDefault(type) ?? new Dictionary<string, Any>());
        }
    }

    // What is not named any more goes once the listeners that named it are gone; without their ACK it stays until the next rollout.
    private void Shrink(IReadOnlyDictionary<ResourceType, ResourceMap> resources)
    {
        if (results[ResourceType.Listener].Outcome != AckOutcome.Acked)
        {
            return;
        }
        foreach (var type in Named)
        {
            if (results[type].Outcome != AckOutcome.Nacked)
            {
                Publish(type, resources[type]);
            }
        }
    }
}
