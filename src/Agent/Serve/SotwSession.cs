using System.Collections.Generic;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Postern.Xds.Discovery;

namespace Postern.Agent.Serve;

/// <summary>A state-of-the-world stream, of one type or aggregated.</summary>
internal sealed class SotwSession(ServedWorld world, ResourceType? only) : DiscoverySession<DiscoveryRequest, DiscoveryResponse>(world, only)
{
    private readonly ResourceType? only = only;
    private readonly Dictionary<ResourceType, SotwSubscription> subscriptions = [];

    protected override IEnumerable<SubscriptionState> States
    {
        get
        {
            foreach (var subscription in subscriptions.Values)
            {
                yield return subscription.State;
            }
        }
    }

    protected override (Node? Node, string TypeUrl) HeadOf(DiscoveryRequest request) => (request.Node, request.TypeUrl);

    protected override void Take(ResourceType type, NodeId from, DiscoveryRequest request)
    {
        if (!subscriptions.TryGetValue(type, out var subscription))
        {
            var state = World.Subscribe(type, from);
            subscription = only is null ? new AggregatedSubscription(World, state) : new CiliumSubscription(World, state);
            subscriptions.Add(type, subscription);
        }
        subscription.Take(request);
    }

    protected override (SubscriptionState? State, DiscoveryResponse? Response) NextOf(ResourceType type, ResourceSet set) =>
        subscriptions.TryGetValue(type, out var subscription) ? (subscription.State, subscription.Next(set)) : (null, null);
}
