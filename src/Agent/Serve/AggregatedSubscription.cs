using System.Collections.Generic;
using System.Globalization;
using Envoy.Service.Discovery.V3;

namespace Postern.Agent.Serve;

/// <summary>
/// One type on an aggregated stream, by the general rules of xDS: nonces count responses, <c>error_detail</c> marks a NACK, an empty list is
/// the wildcard until names were given once, and new names are answered at once.
/// </summary>
internal sealed class AggregatedSubscription(ServedWorld world, SubscriptionState state) : SotwSubscription(world, state)
{
    private const string Wildcard = "*";
    private ulong responses;
    private bool begun;
    private bool hadNames;

    public override void Take(DiscoveryRequest request)
    {
        if (!begun)
        {
            begun = true;
            Want(request);

            // Versions of other control planes need not be numbers; only ours can collide with ours.
            if (ulong.TryParse(request.VersionInfo, NumberStyles.None, CultureInfo.InvariantCulture, out var version) && version <= Protocol.LargestVersion)
            {
                World.Lift(State.Type, version);
            }
            return;
        }
        var answered = request.ResponseNonce;
        if (answered != (responses == 0 ? "" : Nonce))
        {
            return; // stale
        }
        Want(request);
        if (State.IsOutstanding)
        {
            Answered(request, accepted: request.ErrorDetail is null);
        }
    }

    protected override bool IsDueFor(ResourceSet set) => base.IsDueFor(set) || HasNewNames;

    protected override DiscoveryResponse Respond(ResourceSet set, IReadOnlyCollection<string>? wanted)
    {
        // A copy of references: the resources themselves are shared.
        var shared = base.Respond(set, wanted);
        responses++;
        var response = new DiscoveryResponse { VersionInfo = shared.VersionInfo, TypeUrl = shared.TypeUrl, Nonce = Nonce };
        response.Resources.AddRange(shared.Resources);
        return response;
    }

    private string Nonce => responses.ToString(CultureInfo.InvariantCulture);

    private void Want(DiscoveryRequest request)
    {
        var list = request.ResourceNames;
        var all = list.Contains(Wildcard) || (list.Count == 0 && !hadNames);
        hadNames |= list.Count > 0;
        Want(list, all);
    }
}
