using System;
using System.Collections.Generic;
using Postern.Proxy.Stats;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Admin;

/// <summary>Envoy's stats of subscriptions. Several subscriptions that have one name there (policy of many listeners) are added up.</summary>
internal static class SubscriptionStats
{
    private const int MaxRejectedResources = 1000; // a control plane must not fill the page with names that it makes up

    public static void Read(IReadOnlyList<SubscriptionStatus> subscriptions, List<StatSample> samples)
    {
        var sums = new Dictionary<string, Sum>(StringComparer.Ordinal);
        var rejected = new Dictionary<(string Type, string Resource), long>();
        var streams = 0;
        var connected = 0;
        foreach (var subscription in subscriptions)
        {
            var scope = ScopeOf(subscription);
            if (!sums.TryGetValue(scope.Dotted, out var sum))
            {
                sums.Add(scope.Dotted, sum = new Sum(scope));
            }
            sum.Add(subscription);
            if (IsStream(subscription))
            {
                streams++;
                connected += IsConnected(subscription) ? 1 : 0;
            }
            foreach (var (resource, count) in subscription.RejectedByResource)
            {
                var key = (subscription.Type.ShortName, resource);
                if (rejected.Count < MaxRejectedResources || rejected.ContainsKey(key))
                {
                    rejected[key] = rejected.GetValueOrDefault(key) + count;
                }
            }
        }
        foreach (var (_, sum) in sums)
        {
            sum.Write(samples);
        }
        samples.Add(StatSample.Gauge("control_plane.connected_state", streams > 0 && connected == streams ? 1 : 0));
        foreach (var ((type, resource), count) in rejected)
        {
            var name = new StatName($"postern.xds.resource_rejected.{type}.{resource}", "postern.xds.resource_rejected", [new("type", type), new("resource", resource)]);
            samples.Add(new StatSample(name, StatKind.Counter, count, count != 0));
        }
    }

    private static bool IsStream(SubscriptionStatus subscription) => !subscription.Source.StartsWith("file ", StringComparison.Ordinal);

    private static bool IsConnected(SubscriptionStatus subscription) => subscription.State is "connected" or "live";

    private static ScopeName ScopeOf(SubscriptionStatus subscription)
    {
        var type = subscription.Type;
        if (type == ResourceType.Cluster)
        {
            return Plain("cluster_manager.cds");
        }
        if (type == ResourceType.Listener)
        {
            return Plain("listener_manager.lds");
        }
        if (type == ResourceType.NetworkPolicy)
        {
            return Plain("cilium.npds");
        }
        if (type == ResourceType.NetworkPolicyHosts)
        {
            return Plain("cilium.nphds");
        }
        // One name: as in Envoy. A subscription to many (aggregated streams) has one line for all.
        var name = subscription.Names.Count == 1 ? subscription.Names[0] : null;
        return (type.ShortName, name) switch
        {
            ("EDS", { } cluster) => ScopeName.Tagged("cluster", "envoy_cluster_name", cluster),
            ("RDS", { } table) => ScopeName.Tagged("rds", "envoy_rds_route_config", table),
            ("SDS", { } secret) => ScopeName.Tagged("sds", "envoy_secret_name", secret),
            _ => Plain("postern.xds." + type.ShortName.ToLowerInvariant()),
        };
    }

    private static ScopeName Plain(string name) => new(name, name, []);

    private sealed class Sum(ScopeName scope)
    {
        private long attempts, success, failure, rejected, timeouts, streams, connected;
        private string version = "";

        public void Add(SubscriptionStatus subscription)
        {
            attempts += subscription.Attempts + subscription.Received;
            success += subscription.Accepted;
            rejected += subscription.Rejected;
            timeouts += subscription.FetchTimeouts;
            // A stream that was opened and is not there any more has failed, for whatever reason.
            failure += Math.Max(subscription.Attempts - (IsConnected(subscription) ? 1 : 0), 0);
            streams += IsStream(subscription) ? 1 : 0;
            connected += IsStream(subscription) && IsConnected(subscription) ? 1 : 0;
            version = subscription.Version;
        }

        public void Write(List<StatSample> samples)
        {
            Counter("update_attempt", attempts);
            Counter("update_success", success);
            Counter("update_failure", failure);
            Counter("update_rejected", rejected);
            Counter("init_fetch_timeout", timeouts);
            samples.Add(new StatSample(StatName.Within(scope, "version"), StatKind.Gauge, TextHash.Of(version), version.Length > 0));
            samples.Add(new StatSample(StatName.Within(scope, "version_text"), StatKind.Text, 0, version.Length > 0) { Text = version });
            if (streams > 0)
            {
                samples.Add(new StatSample(StatName.Within(scope, "control_plane.connected_state"), StatKind.Gauge, connected == streams ? 1 : 0));
            }

            void Counter(string leaf, long value) => samples.Add(new StatSample(StatName.Within(scope, leaf), StatKind.Counter, value, value != 0));
        }
    }
}
