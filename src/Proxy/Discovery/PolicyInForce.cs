using System;
using System.Collections.Generic;
using Postern.Filters;
using Postern.Policy;
using Postern.Proxy.Admin;
using Postern.Proxy.Stats;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>
/// The one policy of the process: NPDS and NPHDS of the source that <c>cilium.bpf_metadata</c> names, swapped by one reference write. Before the
/// first update everything is denied. Subscribed when the first listener names a source, and kept when the last one goes; a source configured
/// later takes over, and until it has spoken the policies of the old one stay in force.
/// </summary>
internal sealed class PolicyInForce : IPolicySource, IDisposable
{
    private readonly ISubscriber subscriber;
    private readonly ChangeGate gate;
    private readonly SecretCache secrets;
    private readonly Action<string> log;
    private readonly NetworkPolicySink policies;
    private readonly NetworkPolicyHostsSink hosts;
    private readonly List<ISubscription> subscriptions = [];
    private ConfigSourceConfig? source;
    private PolicySnapshot compiled = PolicySnapshot.Empty;
    private string version = "";
    private Provenance provenance;
    private bool hostsKnown;
    private volatile PolicyState current = PolicyState.Empty;

    public PolicyInForce(ISubscriber subscriber, ChangeGate gate, SecretCache secrets, PolicyStats stats, Action<string> log)
    {
        this.subscriber = subscriber;
        this.gate = gate;
        this.secrets = secrets;
        this.log = log;
        policies = new NetworkPolicySink(gate, this, stats, log);
        hosts = new NetworkPolicyHostsSink(gate, this, stats);
    }

    public PolicyState Current => current;

    public ISecretSource Secrets => secrets;

    /// <summary>The newest accepted policies, in force or not: what the next update is compared with.</summary>
    public PolicySnapshot Compiled => compiled;

    /// <summary>Whether identities have come: policies are in force from then on.</summary>
    public bool HostsKnown => hostsKnown;

    /// <summary>Where it comes from; null before a listener named it.</summary>
    public ConfigSourceConfig? Source => source;

    /// <summary>Takes policy from there from now on.</summary>
    public void Configure(ConfigSourceConfig wanted)
    {
        lock (gate.Lock)
        {
            if (wanted == source)
            {
                return;
            }
            source = wanted;
            Close();
            // Identities first: when both come from one file, no policy is in force before the identities it was written for.
            subscriptions.Add(subscriber.Subscribe(wanted, [], hosts));
            subscriptions.Add(subscriber.Subscribe(wanted, [], policies));
            secrets.Use(wanted, compiled.SecretNames);
        }
    }

    /// <summary>
    /// Swaps in new policies. Under the gate. Without identities every peer would be the world, which some rule may allow: policies wait for the
    /// first NPHDS answer, an empty one too, and until then everything is denied.
    /// </summary>
    public void Put(PolicySnapshot fresh, string freshVersion, Provenance from)
    {
        var secretsChanged = !ReferenceEquals(fresh.SecretNames, compiled.SecretNames);
        (compiled, version, provenance) = (fresh, freshVersion, from);
        Publish(current.Hosts);
        if (secretsChanged)
        {
            secrets.Use(source, fresh.SecretNames);
        }
    }

    /// <summary>Swaps in new identities. Under the gate.</summary>
    public void Put(IdentityMap map)
    {
        if (!hostsKnown && version.Length > 0)
        {
            log($"policy in force: {source} version {version}, {compiled.Endpoints.Count} endpoint policies, now that identities have come");
        }
        hostsKnown = true;
        Publish(map);
    }

    public void ReadStatus(List<ResourceStatus> into)
    {
        hosts.ReadStatus(into);
        policies.ReadStatus(into);
    }

    public void Dispose() => Close();

    private void Publish(IdentityMap hosts) => current = current with
    {
        Hosts = hosts,
        Policies = hostsKnown ? compiled : PolicySnapshot.Empty,
        Version = version,
        Note = version.Length == 0 ? "" : !hostsKnown ? "identities (NPHDS) have not been received yet" : provenance == Provenance.Disk ? "policy version " + version : "",
    };

    private void Close()
    {
        foreach (var subscription in subscriptions)
        {
            subscription.Dispose();
        }
        subscriptions.Clear();
    }
}
