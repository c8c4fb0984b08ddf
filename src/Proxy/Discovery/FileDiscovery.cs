using System;
using System.Collections.Generic;
using Google.Protobuf.WellKnownTypes;
using Postern.Policy;
using Postern.Xds;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>Files only: stands in until the discovery client serves both files and streams.</summary>
internal sealed class FileDiscovery(Action<string> warn) : IDiscovery
{
    public ISubscription Subscribe(ResourceType type, ConfigSourceConfig source, IReadOnlyList<string> names, IResourceSink sink)
    {
        if (source is not FileSourceConfig { Path: var path })
        {
            warn($"{type}: {source}: only path_config_source is served");
            sink.OnFetchTimeout(names);
            return new FileSubscription(type, source, null);
        }
        var kind = type == ResourceType.Listener ? ResourceKinds.Listener : type == ResourceType.Cluster ? ResourceKinds.Cluster : ResourceKinds.Policy;
        var first = true;
        void Publish(ResourceFile file)
        {
            var update = new ResourceUpdate(type, file.VersionInfo, first ? UpdateStream.New : UpdateStream.Old, true, Resources(type, file), []);
            foreach (var problem in sink.Apply(update))
            {
                warn($"{path}: {problem.Resource}: {(problem.Path.Length == 0 ? "" : problem.Path + ": ")}{problem.Reason}");
            }
            first = false;
        }
        var store = new ResourceStore<ResourceFile>(Publish, warn);
        var file = new FileResourceSource<ResourceFile>(path, p => ResourceFile.Load(p, kind), store);
        if (file.Start().Outcome == OfferOutcome.Rejected)
        {
            sink.OnFetchTimeout(names);
        }
        return new FileSubscription(type, source, file);
    }

    public IDisposable Pause(ResourceType type) => new FileSubscription(type, new FileSourceConfig(""), null);

    public IReadOnlyList<SubscriptionStatus> ReadStatus() => [];

    public System.Threading.Tasks.ValueTask DisposeAsync() => default;

    private static List<DiscoveredResource> Resources(ResourceType type, ResourceFile file)
    {
        var list = new List<DiscoveredResource>();
        void Add(string name, object config) => list.Add(new DiscoveredResource(name, file.VersionInfo, config, new Any { TypeUrl = type.TypeUrl }));
        if (type == ResourceType.Listener)
        {
            foreach (var listener in file.Listeners)
            {
                Add(listener.Name, listener);
            }
        }
        else if (type == ResourceType.Cluster)
        {
            foreach (var cluster in file.Clusters)
            {
                Add(cluster.Name, cluster);
            }
        }
        else if (type == ResourceType.NetworkPolicy)
        {
            foreach (var policy in file.NetworkPolicies)
            {
                Add(policy.Name, policy);
            }
        }
        else
        {
            foreach (var hosts in file.NetworkPolicyHosts)
            {
                Add(hosts.Policy.ToString(System.Globalization.CultureInfo.InvariantCulture), hosts);
            }
        }
        return list;
    }

    private sealed class FileSubscription(ResourceType type, ConfigSourceConfig source, IDisposable? file) : ISubscription
    {
        public SubscriptionStatus Status { get; } = new() { Type = type, Source = source.ToString()!, State = "live" };

        public void Dispose() => file?.Dispose();
    }
}
