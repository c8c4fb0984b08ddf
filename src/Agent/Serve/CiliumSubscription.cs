using System.Collections.Generic;
using Envoy.Service.Discovery.V3;
using Postern.Xds.Discovery;

namespace Postern.Agent.Serve;

/// <summary>
/// The separate streams as Cilium's agent serves them: version and nonce of a response are the same decimal number, an ACK repeats it as
/// version, a NACK brings a lower one. A changed list of names waits for the next version.
/// </summary>
internal sealed class CiliumSubscription : SotwSubscription
{
    private bool begun;
    private bool startsEmpty; // see ResourceServerOptions.CiliumNphdsQuirk

    public CiliumSubscription(ServedWorld world, SubscriptionState state)
        : base(world, state) =>
        startsEmpty = world.Options.CiliumNphdsQuirk && ReferenceEquals(state.Type, ResourceType.NetworkPolicyHosts);

    public override void Take(DiscoveryRequest request)
    {
        var version = Protocol.Number(request.VersionInfo, "version_info");
        var nonce = Protocol.Number(request.ResponseNonce, "response_nonce");
        if (!begun || (State.Sent == 0 && nonce == 0))
        {
            // A nonce belongs to one stream: what comes with the first request is of an older one.
            begun = true;
            Want(request.ResourceNames, request.ResourceNames.Count == 0);
            World.Lift(State.Type, version);
            return;
        }
        if (version > nonce)
        {
            throw Protocol.Error($"{State.Type}: invalid response nonce: version_info {version} is above response_nonce {nonce}");
        }
        if (nonce > State.Sent)
        {
            throw Protocol.Error($"{State.Type}: invalid response nonce: {nonce} was not sent on this stream, the last one was {State.Sent}");
        }
        if (nonce < State.Sent)
        {
            return; // overtaken by a response; the answer to that one carries the whole list of names too
        }
        Want(request.ResourceNames, request.ResourceNames.Count == 0);
        if (!State.IsOutstanding)
        {
            return;
        }
        if (startsEmpty)
        {
            Fill();
            return;
        }
        Answered(request, accepted: version == nonce && request.ErrorDetail is null);
    }

    // On separate streams a new name does not make a response due, but it belongs into the next one.
    protected override DiscoveryResponse Respond(ResourceSet set, IReadOnlyCollection<string>? wanted) =>
        startsEmpty ? set.Only([]) : base.Respond(set, wanted);

    private void Fill()
    {
        startsEmpty = false;
        IsAnswered = false;
        State.OnAckOfNothing();
        World.Lift(State.Type, State.Sent);
    }
}
