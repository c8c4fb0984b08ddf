using System;
using System.Collections.Generic;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Proxy.Admin;
using Postern.Proxy.Stats;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>NPHDS: identities of addresses.</summary>
internal sealed class NetworkPolicyHostsSink(ChangeGate gate, PolicyInForce policy, PolicyStats stats, Action<string> log) : ResourceSink(ResourceType.NetworkPolicyHosts, gate)
{
    private readonly HeldResources held = new(ResourceType.NetworkPolicyHosts);

    protected override IReadOnlyList<ResourceProblem> ApplyLocked(ResourceUpdate update, Provenance provenance)
    {
        var all = new List<NetworkPolicyHostsConfig>();
        foreach (var resource in held.After(update))
        {
            all.Add((NetworkPolicyHostsConfig)resource.Config);
        }
        try
        {
            policy.Put(IdentityMap.Compile(all));
        }
        catch (PolicyConfigException e)
        {
            return [new ResourceProblem(e.Resource, e.Path, e.Message)];
        }
        stats.HostUpdates.Increment();
        held.Apply(update, provenance, Gate.Now);
        return [];
    }

    protected override void OnFetchTimeoutLocked() =>
        log($"no identities from {policy.Source} within initial_fetch_timeout; {policy.Meanwhile} until they come");

    protected override IEnumerable<ResourceStatus> ReadLocked() => held.Read();
}
