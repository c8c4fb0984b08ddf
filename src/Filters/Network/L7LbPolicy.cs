using System.Net;
using Postern.Policy;

namespace Postern.Filters.Network;

/// <summary>
/// <c>cilium.network</c> on the listeners of an L7 load balancer, where the endpoint that was chosen is what policy judges: the pod's egress, then the Ingress policy's
/// ingress (the client towards the original port) and its egress. All that apply must allow; where none applies nothing passes.
/// </summary>
public static class L7LbPolicy
{
    /// <summary>The connection as if it had been made to that endpoint: what records of it say.</summary>
    public static ConnectionMetadata Towards(ConnectionMetadata connection, IPEndPoint endpoint, IdentityMap hosts) => connection with
    {
        Destination = endpoint,
        DestinationIdentity = Listener.BpfMetadata.IdentityOf(hosts, endpoint.Address),
    };

    /// <summary>On accept: refuses only what no policy can be applied to and where nobody answers for it later. HTTP requests get their answers one by one.</summary>
    public static SidedVerdict Admit(ConnectionMetadata connection, bool opaque) => opaque && connection.L7Lb!.Unusable.Length > 0
        ? Judge(connection, [], opaque)
        : new SidedVerdict(new PolicyVerdict(PolicyDecision.Allow, PolicyReason.Allowed, ""), connection);

    /// <summary>Who is asked, in order. Empty: nobody, so nothing passes.</summary>
    /// <param name="connection">Of a load balancer's listener.</param>
    /// <param name="endpoint">Where it goes; null while that is open, for what can be said of the client's side alone.</param>
    /// <param name="inForce">Policies and identities.</param>
    public static L7LbSide[] SidesOf(ConnectionMetadata connection, IPEndPoint? endpoint, PolicyState inForce)
    {
        var balancer = connection.L7Lb!;
        if (balancer.Unusable.Length > 0)
        {
            return [];
        }
        var sides = new L7LbSide[4];
        var count = 0;
        var policies = inForce.Policies;
        var towards = endpoint is null ? null : Towards(connection, endpoint, inForce.Hosts);
        if (towards is not null && connection.PodAddress.Length > 0)
        {
            sides[count++] = Side(towards, policies);
        }
        if (balancer.IngressPolicyName.Length > 0)
        {
            var named = connection with { PodAddress = balancer.IngressPolicyName };
            if (balancer.IngressSourceIdentity != Identities.Unknown)
            {
                sides[count++] = Side(named with { Direction = TrafficDirection.Ingress, SourceIdentity = balancer.IngressSourceIdentity, DestinationIdentity = Identities.Unknown }, policies);
            }
            if (towards is not null)
            {
                sides[count++] = Side(towards with { PodAddress = named.PodAddress }, policies);
            }
        }
        if (count > 0 && towards is not null && connection.DestinationSide is { } guarded && policies.FindEndpoint(endpoint!.Address.ToString()) is not null)
        {
            sides[count++] = Side(guarded with { PodAddress = endpoint.Address.ToString(), Destination = endpoint, SourceIdentity = connection.SourceIdentity }, policies) with { GuardsDestination = true };
        }
        return sides[..count];
    }

    /// <summary>The first refusal of <paramref name="sides"/>, or the allowance of the last that speaks for the client.</summary>
    public static SidedVerdict Judge(ConnectionMetadata connection, L7LbSide[] sides, bool opaque)
    {
        if (sides.Length == 0)
        {
            return new SidedVerdict(new PolicyVerdict(PolicyDecision.None, PolicyReason.NoPolicyForEndpoint, ""), connection);
        }
        var allowed = default(SidedVerdict);
        foreach (var side in sides)
        {
            var verdict = opaque ? CiliumNetwork.JudgeOpaque(side.View, side.Port) : CiliumNetwork.Judge(side.View, side.Port);
            if (!verdict.IsAllowed)
            {
                return new SidedVerdict(verdict, side.View);
            }
            allowed = side.GuardsDestination ? allowed : new SidedVerdict(verdict, side.View);
        }
        return allowed;
    }

    /// <summary>Both in one.</summary>
    public static SidedVerdict Judge(ConnectionMetadata connection, IPEndPoint endpoint, bool opaque, PolicyState inForce) =>
        Judge(connection, SidesOf(connection, endpoint, inForce), opaque);

    /// <summary>
    /// What can be said before any endpoint is known: whether the client has a policy at all, and whether the Ingress policy lets it in. Allows where only an endpoint can tell.
    /// </summary>
    public static SidedVerdict JudgeClient(ConnectionMetadata connection, bool opaque, PolicyState inForce)
    {
        var balancer = connection.L7Lb!;
        if (balancer.Unusable.Length > 0 || (connection.PodAddress.Length == 0 && balancer.IngressPolicyName.Length == 0))
        {
            return Judge(connection, [], opaque);
        }
        if (connection.PodAddress.Length > 0 && inForce.Policies.FindEndpoint(connection.PodAddress) is null)
        {
            return Judge(connection, [], opaque);
        }
        var sides = SidesOf(connection, null, inForce);
        return sides.Length == 0 ? new SidedVerdict(new PolicyVerdict(PolicyDecision.Allow, PolicyReason.Allowed, ""), connection) : Judge(connection, sides, opaque);
    }

    private static L7LbSide Side(ConnectionMetadata view, PolicySnapshot policies) => new(view, CiliumNetwork.PortOf(view, policies));
}

/// <summary>One policy that is asked.</summary>
/// <param name="View">The connection as that policy sees it.</param>
/// <param name="Port">Its rules.</param>
public readonly record struct L7LbSide(ConnectionMetadata View, PortPolicy Port)
{
    /// <summary>It is the endpoint's own, asked because nobody else would.</summary>
    public bool GuardsDestination { get; init; }
}
