using System.Collections.Generic;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Postern.Xds.Discovery;

namespace Postern.Agent.Serve;

/// <summary>A Delta stream, of one type or aggregated.</summary>
internal sealed class DeltaSession(ServedWorld world, ResourceType? only) : DiscoverySession<DeltaDiscoveryRequest, DeltaDiscoveryResponse>(world, only)
{
    private readonly Dictionary<ResourceType, DeltaSubscription> subscriptions = [];

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

    protected override (Node? Node, string TypeUrl) HeadOf(DeltaDiscoveryRequest request) => (request.Node, request.TypeUrl);

    protected override void Take(ResourceType type, NodeId from, DeltaDiscoveryRequest request)
    {
        if (!subscriptions.TryGetValue(type, out var subscription))
        {
            subscriptions.Add(type, subscription = new DeltaSubscription(World, World.Subscribe(type, from)));
        }
        subscription.Take(request);
    }

    protected override (SubscriptionState? State, DeltaDiscoveryResponse? Response) NextOf(ResourceType type, ResourceSet set) =>
        subscriptions.TryGetValue(type, out var subscription) ? (subscription.State, subscription.Next(set)) : (null, null);
}
