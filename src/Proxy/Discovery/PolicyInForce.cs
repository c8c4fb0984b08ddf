using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using Postern.Filters;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Proxy.Admin;
using Postern.Proxy.Stats;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>
/// The one policy of the process: NPDS and NPHDS of the source that <c>cilium.bpf_metadata</c> names, swapped by one reference write. Before the
/// first update everything is denied. Subscribed when the first listener names a source, and kept when the last one goes. A source configured
/// later takes over as a whole: until both its policies and its identities have come, the pair of the old one stays in force, secrets included.
/// </summary>
internal sealed class PolicyInForce : IPolicySource, IDisposable
{
    private readonly ISubscriber subscriber;
    private readonly ChangeGate gate;
    private readonly SecretCache secrets;
    private readonly PolicyTlsContexts tls;
    private readonly Action<string> log;
    private readonly NetworkPolicySink policies;
    private readonly NetworkPolicyHostsSink hosts;
    private readonly List<ISubscription> subscriptions = [];
    private readonly TaskCompletionSource firstPair = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ConfigSourceConfig? source;
    private PolicySnapshot compiled = PolicySnapshot.Empty;
    private string version = "";
    private Provenance provenance;
    private IdentityMap identities = PolicyState.Empty.Hosts;
    private bool policiesKnown; // of the source named now, as the next
    private bool hostsKnown;
    private bool pairKnown; // of any source
    private (ConfigSourceConfig? Source, IReadOnlyCollection<string> Names) secretsUsed = (null, PolicySnapshot.Empty.SecretNames);
    private (ConfigSourceConfig? Source, IReadOnlyCollection<(TlsSide, TlsContextConfig)> Contexts) tlsUsed = (null, PolicySnapshot.Empty.TlsContexts);
    private volatile PolicyState current = PolicyState.Empty;

    public PolicyInForce(ISubscriber subscriber, ChangeGate gate, SecretCache secrets, PolicyTlsContexts tls, PolicyStats stats, Action<string> log)
    {
        this.tls = tls;
        this.subscriber = subscriber;
        this.gate = gate;
        this.secrets = secrets;
        this.log = log;
        policies = new NetworkPolicySink(gate, this, stats, log);
        hosts = new NetworkPolicyHostsSink(gate, this, stats, log);
    }

    public PolicyState Current => current;

    /// <summary>Told when <see cref="Current"/> is another; under the gate, so it must not wait for anything.</summary>
    public event Action? Changed;

    public ISecretSource Secrets => secrets;

    /// <summary>The newest accepted policies, in force or not: what the next update is compared with.</summary>
    public PolicySnapshot Compiled => compiled;

    /// <summary>Policies and identities of the source named now have come: what it says is in force.</summary>
    public bool IsWhole => policiesKnown && hostsKnown;

    /// <summary>What holds while the source named now is not whole, for a log line.</summary>
    public string Meanwhile => pairKnown ? "what the former source said stays in force" : "everything is denied";

    /// <summary>Completes when policies and identities of a source have come for the first time.</summary>
    public Task FirstPair => firstPair.Task;

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
            (policiesKnown, hostsKnown, version) = (false, false, "");
            // Identities first: when both come from one file, no policy is in force before the identities it was written for.
            subscriptions.Add(subscriber.Subscribe(wanted, [], hosts));
            subscriptions.Add(subscriber.Subscribe(wanted, [], policies));
        }
    }

    /// <summary>Whether the TLS contexts of new policies can be used. Under the gate.</summary>
    /// <exception cref="PolicyConfigException">One cannot.</exception>
    public void CheckTls(PolicySnapshot fresh) => tls.Check(fresh.TlsContexts);

    /// <summary>
    /// Swaps in new policies. Under the gate. Without identities every peer would be the world, which some rule may allow: policies wait for the
    /// first NPHDS answer of their source, an empty one too.
    /// </summary>
    public void Put(PolicySnapshot fresh, string freshVersion, Provenance from)
    {
        (compiled, version, provenance) = (fresh, freshVersion, from);
        policiesKnown = true;
        Publish();
    }

    /// <summary>Swaps in new identities. Under the gate. They too wait for the first policies of their source, unless no pair is in force yet.</summary>
    public void Put(IdentityMap map)
    {
        if (!hostsKnown && policiesKnown)
        {
            log($"policy in force: {source} version {version}, {compiled.Endpoints.Count} endpoint policies, now that identities have come");
        }
        identities = map;
        hostsKnown = true;
        Publish();
    }

    public void ReadStatus(List<ResourceStatus> into)
    {
        hosts.ReadStatus(into);
        policies.ReadStatus(into);
    }

    public void Dispose() => Close();

    private void Publish()
    {
        if (pairKnown && !IsWhole)
        {
            return; // half of a new source: its policies were not written for the old identities, nor the other way round
        }
        pairKnown = IsWhole;
        Action? letGo = null;
        if (policiesKnown && tlsUsed != (source, compiled.TlsContexts))
        {
            tlsUsed = (source, compiled.TlsContexts);
            letGo = tls.Use(source, compiled.TlsContexts);
        }
        current = current with
        {
            Hosts = identities,
            Policies = pairKnown ? compiled : PolicySnapshot.Empty,
            Version = version,
            Note = version.Length == 0 ? "" : !pairKnown ? "identities (NPHDS) have not been received yet" : provenance == Provenance.Disk ? "policy version " + version : "",
        };
        letGo?.Invoke();
        if (policiesKnown && secretsUsed != (source, compiled.SecretNames))
        {
            secretsUsed = (source, compiled.SecretNames);
            secrets.Use(source, compiled.SecretNames);
        }
        if (pairKnown)
        {
            firstPair.TrySetResult();
        }
        Changed?.Invoke();
    }

    private void Close()
    {
        foreach (var subscription in subscriptions)
        {
            subscription.Dispose();
        }
        subscriptions.Clear();
    }
}
