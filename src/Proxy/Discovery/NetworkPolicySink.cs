using System;
using System.Collections.Generic;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Proxy.Admin;
using Postern.Proxy.Stats;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>NPDS: compiles what changed and swaps it in.</summary>
internal sealed class NetworkPolicySink(ChangeGate gate, PolicyInForce policy, PolicyStats stats, Action<string> log) : ResourceSink(ResourceType.NetworkPolicy, gate)
{
    private readonly HeldResources held = new(ResourceType.NetworkPolicy);

    protected override IReadOnlyList<ResourceProblem> ApplyLocked(ResourceUpdate update, Provenance provenance)
    {
        stats.Updates.Increment();
        var old = policy.Compiled;
        var configs = new NetworkPolicyConfig[update.Resources.Count];
        for (var i = 0; i < configs.Length; i++)
        {
            configs[i] = (NetworkPolicyConfig)update.Resources[i].Config;
        }
        var origin = new UpdateOrigin(update.Version, update.Stream);
        PolicySnapshot compiled;
        try
        {
            compiled = update.IsFullSet ? PolicySnapshot.Compile(configs, old, origin) : old.With(configs, update.Removed, origin);
            policy.CheckTls(compiled);
        }
        catch (PolicyConfigException e)
        {
            stats.UpdatesRejected.Increment();
            return [new ResourceProblem(e.Resource, e.Path, e.Message)];
        }
        var version = update.Version.Length > 0 ? update.Version : "unversioned";
        policy.Put(compiled, version, provenance);
        held.Apply(update, provenance, Gate.Now);
        log(policy.IsWhole
            ? $"policy in force: {policy.Source} version {version}, {compiled.Endpoints.Count} endpoint policies"
            : $"policy received: {policy.Source} version {version}, {compiled.Endpoints.Count} endpoint policies; {policy.Meanwhile} until identities (NPHDS) come");
        return [];
    }

    // Only said in the log upstream: everything stays denied, or under the last good policy.
    protected override void OnFetchTimeoutLocked() =>
        log($"no policy from {policy.Source} within initial_fetch_timeout; what is in force stays ({policy.Current.Policies.Endpoints.Count} endpoint policies)");

    protected override IEnumerable<ResourceStatus> ReadLocked() => held.Read();
}
