using System.Collections.Generic;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Proxy.Admin;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>NPHDS: identities of addresses.</summary>
internal sealed class NetworkPolicyHostsSink(ChangeGate gate, PolicyInForce policy) : ResourceSink(ResourceType.NetworkPolicyHosts, gate)
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
        held.Apply(update, provenance, Gate.Now);
        return [];
    }

    // Until identities come, every address is world.
    protected override void OnFetchTimeoutLocked()
    {
    }

    protected override IEnumerable<ResourceStatus> ReadLocked() => held.Read();
}
