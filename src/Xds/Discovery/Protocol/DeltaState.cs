using Envoy.Service.Discovery.V3;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>
/// State of one (Delta stream, type), owned by its multiplexer. An answer never changes the subscription, and a change never carries a nonce:
/// some servers count on that.
/// </summary>
internal sealed class DeltaState(ResourceType type) : TypeState<DeltaDiscoveryRequest, DeltaDiscoveryResponse>(type)
{
    public override ReceivedResponse Read(DeltaDiscoveryResponse response) =>
        DeltaResponses.Read(response, isFullSet: Type.ReplacesOnNewStream && Stream == Policy.UpdateStream.New);

    protected override bool ComesWholeOnce => Type.ReplacesOnNewStream;

    protected override DeltaDiscoveryRequest Compose(Answer answer) =>
        new() { TypeUrl = Type.TypeUrl, ResponseNonce = answer.Nonce, ErrorDetail = answer.Error };

    protected override DeltaDiscoveryRequest ComposeFirst()
    {
        var request = new DeltaDiscoveryRequest { TypeUrl = Type.TypeUrl };
        if (!Interest.IsWildcardOnly) // else both lists stay empty: the wildcard that every server knows
        {
            request.ResourceNamesSubscribe.AddRange(Interest.Names());
        }
        if (!Type.ReplacesOnNewStream)
        {
            // The server leaves out what is held in the version it has; a set that starts afresh needs everything.
            foreach (var (name, version) in Held.Versions())
            {
                request.InitialResourceVersions.Add(name, version);
            }
        }
        Interest.Flush();
        return request;
    }

    protected override DeltaDiscoveryRequest? ComposeChange()
    {
        if (!Interest.HasChange)
        {
            return null;
        }
        var request = new DeltaDiscoveryRequest { TypeUrl = Type.TypeUrl };
        request.ResourceNamesSubscribe.AddRange(Interest.Added);
        request.ResourceNamesUnsubscribe.AddRange(Interest.Removed);
        Interest.Flush();
        return request;
    }
}
