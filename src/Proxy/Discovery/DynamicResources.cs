using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Postern.Policy;
using Postern.Proxy.Admin;
using Postern.Proxy.Http;
using Postern.Proxy.Lifecycle;
using Postern.Proxy.Upstream;
using Postern.Xds;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>
/// Everything that configuration brings in force, and the order of a start: static clusters and listeners, CDS, and after its first answer LDS.
/// Clusters bring EDS, listeners RDS, NPDS and NPHDS, policies SDS. Owns all subscriptions.
/// </summary>
internal sealed class DynamicResources : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    private readonly BootstrapConfig bootstrap;
    private readonly ISubscriber subscriber;
    private readonly ChangeGate gate;
    private readonly NamedResources<EndpointsConfig> endpoints;
    private readonly NamedResources<RouteTable> routes;
    private readonly SecretCache secrets;
    private readonly PolicyInForce policy;
    private readonly ClusterSink clusters;
    private readonly ListenerSink listeners;
    private readonly TaskCompletionSource initialized = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer refusals;
    private ISubscription? clusterSubscription;
    private ISubscription? listenerSubscription;
    private volatile bool clustersSettled;
    private volatile bool listenersSettled;
    private bool listenersSubscribed;
    private volatile bool wasWarm;

    public DynamicResources(
        BootstrapConfig bootstrap, ISubscriber subscriber, ChangeGate gate, IListenerHost host, SnapshotParts parts, Action<string> warn, Action<string> log)
    {
        this.bootstrap = bootstrap;
        this.subscriber = subscriber;
        this.gate = gate;
        endpoints = new NamedResources<EndpointsConfig>(ResourceType.Endpoint, subscriber, gate, static config => (EndpointsConfig)config);
        routes = new NamedResources<RouteTable>(ResourceType.Route, subscriber, gate, Compile);
        secrets = new SecretCache(subscriber, gate, bootstrap.StaticSecrets);
        var tls = new PolicyTlsContexts(secrets, gate, parts.Stats.Policy.TlsContextMissing);
        policy = new PolicyInForce(subscriber, gate, secrets, tls, parts.Stats.Policy, log);
        clusters = new ClusterSink(bootstrap, subscriber, gate, new ClusterParts(endpoints, secrets, tls, parts.Stats));
        var compiler = new SnapshotCompiler(FindCluster, policy, tls, parts);
        listeners = new ListenerSink(bootstrap, subscriber, gate, routes, secrets, clusters, policy, host, compiler, warn);
        clusters.Settled += OnClustersSettled;
        listeners.Settled += OnListenersSettled;
        refusals = gate.Time.CreateTimer(_ => LookForRefusals(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Completes when the first answers are in: from then on the proxy serves what it was told.</summary>
    public Task Initialized => initialized.Task;

    /// <summary>Policy, identities and secrets in force.</summary>
    public PolicyInForce Policy => policy;

    /// <summary>Where the start stands.</summary>
    public ServerState State
    {
        get
        {
            if (wasWarm)
            {
                return ServerState.Live; // what warms later does not take the server back, and a probe does not wait for a large update
            }
            lock (gate.Lock)
            {
                wasWarm = listenersSettled && clusters.IsWarm && listeners.IsWarm;
                return wasWarm ? ServerState.Live : clustersSettled && clusters.IsWarm ? ServerState.Initializing : ServerState.PreInitializing;
            }
        }
    }

    /// <summary>The cluster in force, or null. From any thread.</summary>
    public ClusterSnapshot? FindCluster(string name) => clusters.Find(name);

    /// <summary>For the admin pages.</summary>
    public IReadOnlyList<ClusterStatus> ReadClusters() => clusters.ReadClusters();

    /// <summary>Every discovered resource and where it stands.</summary>
    public IReadOnlyList<ResourceStatus> ReadStatus()
    {
        var all = new List<ResourceStatus>();
        clusters.ReadStatus(all);
        endpoints.ReadStatus(all);
        listeners.ReadStatus(all);
        routes.ReadStatus(all);
        secrets.ReadStatus(all);
        policy.ReadStatus(all);
        return all;
    }

    /// <summary>Brings the bootstrap's resources in force and subscribes to the others.</summary>
    /// <returns>One line for each static listener that could not be opened.</returns>
    public IReadOnlyList<string> Start()
    {
        lock (gate.Lock)
        {
            clusters.AddStatic(bootstrap.StaticClusters);
            var errors = listeners.AddStatic(bootstrap.StaticListeners);
            if (errors.Count > 0)
            {
                return errors;
            }
            refusals.Change(Poll, Poll);
            if (bootstrap.CdsSource is { } cds)
            {
                clusterSubscription = subscriber.Subscribe(cds, [], clusters);
            }
            else
            {
                OnClustersSettled();
            }
            return [];
        }
    }

    public void Dispose()
    {
        lock (gate.Lock)
        {
            listenersSubscribed = true; // an answer that is under way does not begin anew
            refusals.Dispose();
            clusterSubscription?.Dispose();
            listenerSubscription?.Dispose();
            policy.Dispose();
        }
    }

    private RouteTable Compile(object config) => new((RouteConfig)config, FindCluster);

    private void OnClustersSettled()
    {
        clustersSettled = true;
        if (listenersSubscribed)
        {
            return;
        }
        listenersSubscribed = true;
        if (bootstrap.LdsSource is { } lds)
        {
            listenerSubscription = subscriber.Subscribe(lds, [], listeners);
        }
        else
        {
            OnListenersSettled();
        }
    }

    private void OnListenersSettled()
    {
        listenersSettled = true;
        initialized.TrySetResult();
    }

    // An answer that could not even be decoded never reaches the sink, yet it is one.
    private void LookForRefusals()
    {
        lock (gate.Lock)
        {
            if (!clustersSettled && clusterSubscription?.Status.Rejected > 0)
            {
                OnClustersSettled();
            }
            if (!listenersSettled && listenerSubscription?.Status.Rejected > 0)
            {
                OnListenersSettled();
            }
            if (listenersSettled)
            {
                refusals.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }
    }
}
