using Envoy.Service.Discovery.V3;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>
/// State of one (SotW stream, type), owned by its multiplexer. Every request carries all names; an answer carries those of the request
/// before it, so that a change of names is a request of its own.
/// </summary>
internal sealed class SotwState(ResourceType type) : TypeState<DiscoveryRequest, DiscoveryResponse>(type)
{
    private string[] names = []; // as last sent on this stream
    private bool isExplicit;     // a name was sent on this stream: from then on an empty list is no wildcard

    public override ReceivedResponse Read(DiscoveryResponse response) => SotwResponses.Read(response, Type, Version);

    protected override bool ComesWholeOnce => false;

    protected override void OnStreamStarted()
    {
        names = [];
        isExplicit = false;
    }

    protected override DiscoveryRequest Compose(Answer answer) => Request(answer.Version, answer.Nonce, answer.Error);

    protected override DiscoveryRequest ComposeFirst()
    {
        TakeNames();
        return Request(Version, "", null);
    }

    protected override DiscoveryRequest? ComposeChange()
    {
        if (!Interest.Differs)
        {
            Interest.Flush();
            return null;
        }
        if (Interest.IsEmpty && !isExplicit)
        {
            return null; // the wildcard of an empty list cannot be given up on a stream: it goes on, and is held for who comes next
        }
        TakeNames();
        return Request(Version, Nonce, null);
    }

    private void TakeNames()
    {
        names = Interest.IsWildcardOnly && !isExplicit ? [] : Interest.Names();
        isExplicit |= names.Length > 0;
        Interest.Flush();
    }

    private DiscoveryRequest Request(string version, string nonce, Google.Rpc.Status? error)
    {
        var request = new DiscoveryRequest { TypeUrl = Type.TypeUrl, VersionInfo = version, ResponseNonce = nonce, ErrorDetail = error };
        request.ResourceNames.AddRange(names);
        return request;
    }
}
