using System.Net;
using Postern.Filters.Network;
using Postern.Policy;
using Postern.Records;

namespace Postern.Filters.Http;

/// <summary>
/// Requests of an L7 load balancer: judged once their endpoint is known, at network level and by HTTP rules, in one place. Upstream has these two apart (the router's callback and
/// an upstream filter), judges the first only for the first endpoint, hangs where no policy applies, and skips egress rules of an Ingress policy without HTTP rules at
/// ingress; here every endpoint that is tried is judged by all of them.
/// </summary>
public sealed partial class L7PolicyFilter
{
    private const string NetworkDeniedBody = "Access denied\r\n"; // of Cilium's router callback: denied_403_body is for HTTP rules

    /// <inheritdoc/>
    public LocalReply? OnUpstreamSelected(HttpExchange exchange, EndPoint endpoint)
    {
        if (exchange.Connection is not { L7Lb: not null } connection)
        {
            return null;
        }
        if (endpoint is not IPEndPoint address)
        {
            return Refuse(exchange, new PolicyVerdict(PolicyDecision.None, PolicyReason.NoPolicyForEndpoint, ""), NetworkDeniedBody,
                $"the endpoint {endpoint} has no address, so no identity that policy could name; a load balancer's cluster needs addresses and ports");
        }
        var inForce = connection.Policy.Current;
        var state = exchange.L7Policy;
        if (!ReferenceEquals(state.State, inForce) || !address.Equals(state.Endpoint))
        {
            connection = Know(exchange, inForce);
            state.Sides = L7LbPolicy.SidesOf(connection, address, inForce);
            state.Sided = L7LbPolicy.Judge(connection, state.Sides, opaque: false);
            state.EndpointText = address.ToString();
            state.EndpointIdentity = L7LbPolicy.Towards(connection, address, inForce.Hosts).DestinationIdentity;
            (state.State, state.Endpoint) = (inForce, address);
        }
        var record = exchange.Record;
        record.DestinationAddress = state.EndpointText;
        record.DestinationIdentity = state.EndpointIdentity;
        record.PolicyName = state.Sided.Side!.PodAddress;
        if (!state.Sided.Verdict.IsAllowed)
        {
            return Refuse(exchange, state.Sided.Verdict, NetworkDeniedBody, RefusalText.Explain(state.Sided.Side, state.Sided.Verdict));
        }
        var rule = state.Sided.Verdict.RuleName;
        foreach (var side in state.Sides)
        {
            var verdict = Judge(exchange, side.View, side.Port, state.Sided.Verdict);
            if (!verdict.IsAllowed)
            {
                record.PolicyName = side.View.PodAddress;
                return Refuse(exchange, verdict, denied.Body, RefusalText.Explain(side.View, verdict));
            }
            rule = side.Port.HasHttpRules && !side.GuardsDestination ? verdict.RuleName : rule;
        }
        record.Reason = RecordVerdict.AllowedReason;
        record.RuleName = rule;
        record.Detail = inForce.Note;
        if (!exchange.L7Policy.RequestLogged)
        {
            Log(exchange, EntryType.Request);
        }
        return null;
    }

    private LocalReply Refuse(HttpExchange exchange, PolicyVerdict verdict, string body, string detail)
    {
        var record = exchange.Record;
        record.Reason = RecordVerdict.NameOf(verdict.Reason);
        record.RuleName = verdict.RuleName;
        record.Detail = detail;
        Log(exchange, EntryType.Denied);
        return new LocalReply(403, body, record.Reason, detail);
    }

    // Before any endpoint is known: only whether policy can be applied at all.
    private static LocalReply? AdmitBalanced(HttpExchange exchange)
    {
        var inForce = exchange.Connection!.Policy.Current;
        var connection = Know(exchange, inForce);
        exchange.Record.PolicyName = connection.PodAddress.Length > 0 ? connection.PodAddress : connection.L7Lb!.IngressPolicyName;
        return connection.L7Lb!.Unusable.Length == 0 ? null : new LocalReply(500, "", "no_connection_metadata", connection.L7Lb.Unusable);
    }

    private static ConnectionMetadata Know(HttpExchange exchange, PolicyState inForce)
    {
        if (!ReferenceEquals(exchange.L7Policy.Known, inForce))
        {
            exchange.UsePolicy(inForce);
            exchange.L7Policy.Known = inForce;
        }
        return exchange.Connection!;
    }
}
