using System;
using System.Collections.Generic;
using Postern.Filters;
using Postern.Policy;
using Postern.Proxy.Admin;
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
    private readonly NetworkPolicySink policies;
    private readonly NetworkPolicyHostsSink hosts;
    private readonly List<ISubscription> subscriptions = [];
    private ConfigSourceConfig? source;
    private volatile PolicyState current = PolicyState.Empty;

    public PolicyInForce(ISubscriber subscriber, ChangeGate gate, SecretCache secrets, Action<string> log)
    {
        this.subscriber = subscriber;
        this.gate = gate;
        this.secrets = secrets;
        policies = new NetworkPolicySink(gate, this, log);
        hosts = new NetworkPolicyHostsSink(gate, this);
    }

    public PolicyState Current => current;

    public ISecretSource Secrets => secrets;

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
            secrets.Use(wanted, current.Policies.SecretNames);
        }
    }

    /// <summary>Swaps in new policies. Under the gate.</summary>
    public void Put(PolicySnapshot compiled, string version, Provenance provenance)
    {
        var secretsChanged = !ReferenceEquals(compiled.SecretNames, current.Policies.SecretNames);
        current = current with { Policies = compiled, Version = version, Note = provenance == Provenance.Disk ? "policy version " + version : "" };
        if (secretsChanged)
        {
            secrets.Use(source, compiled.SecretNames);
        }
    }

    /// <summary>Swaps in new identities. Under the gate.</summary>
    public void Put(IdentityMap map) => current = current with { Hosts = map };

    public void ReadStatus(List<ResourceStatus> into)
    {
        hosts.ReadStatus(into);
        policies.ReadStatus(into);
    }

    public void Dispose() => Close();

    private void Close()
    {
        foreach (var subscription in subscriptions)
        {
            subscription.Dispose();
        }
        subscriptions.Clear();
    }
}
