using System;
using System.Collections.Generic;
using System.Net;
using Postern.Agent.Compile;
using Postern.Policy;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Steer;

/// <summary>
/// From redirects to steering rules. Of all rules the first that matches a packet decides, so the order says who judges:
/// 1. what names both ends;
/// 2. egress before ingress: of a connection between two endpoints of the node the proxy judges both sides when it comes by the sender's, and
///    what the proxy sends is never steered again;
/// 3. within an endpoint the order of its redirects.
/// </summary>
public static class SteeringPlan
{
    /// <summary>
    /// Nobody listens there, so TPROXY drops what is steered to it: the port of redirects whose listener does not exist. To leave such a
    /// redirect out would let its traffic by.
    /// </summary>
    public const ushort NobodyListens = 1;

    /// <summary>Makes the rules.</summary>
    /// <param name="endpoints">Endpoints with redirects.</param>
    /// <param name="portOf">The listener's port, or null when it has none.</param>
    public static IReadOnlyList<SteeringRule> Of(IReadOnlyList<CompiledEndpoint> endpoints, Func<Redirect, ushort?> portOf)
    {
        var pairs = new List<SteeringRule>();
        var egress = new List<SteeringRule>();
        var ingress = new List<SteeringRule>();
        var seen = new HashSet<SteeringRule>();
        foreach (var endpoint in endpoints)
        {
            foreach (var redirect in endpoint.Redirects)
            {
                var port = portOf(redirect) ?? NobodyListens;
                var into = redirect.Remote is not null ? pairs : redirect.Direction == TrafficDirection.Egress ? egress : ingress;
                foreach (var address in endpoint.Addresses)
                {
                    if (redirect.Remote is not null && redirect.Remote.AddressFamily != address.AddressFamily)
                    {
                        continue;
                    }
                    var rule = Rule(endpoint, address, redirect, port);
                    if (seen.Add(rule))
                    {
                        into.Add(rule);
                    }
                }
            }
        }
        return [.. pairs, .. egress, .. ingress];
    }

    /// <summary>
    /// Rules for a node that the proxy has not ACKed: what its policies speak about goes to the listener that is known by now, which refuses whom it
    /// has no policy for, or nowhere. What only an annotation asks for passes.
    /// </summary>
    /// <param name="node">Read, not in force.</param>
    /// <param name="portOf">The port that the listener has or had, or null.</param>
    public static IReadOnlyList<SteeringRule> Hold(CompiledNode node, Func<Redirect, ushort?> portOf)
    {
        var enforced = new List<CompiledEndpoint>();
        foreach (var endpoint in node.Endpoints)
        {
            var redirects = new List<Redirect>();
            foreach (var redirect in endpoint.Redirects)
            {
                if (redirect.Direction == TrafficDirection.Ingress ? endpoint.IngressEnforced : endpoint.EgressEnforced)
                {
                    redirects.Add(redirect);
                }
            }
            enforced.Add(endpoint with { Redirects = redirects });
        }
        return [.. Block(node.Blocked), .. Of(enforced, portOf)];
    }

    /// <summary>Rules that drop all TCP of endpoints that cannot be policed. They go first: the sender's rule would let its traffic to them by.</summary>
    public static IReadOnlyList<SteeringRule> Block(IReadOnlyList<BlockedEndpoint> endpoints)
    {
        var rules = new List<SteeringRule>();
        foreach (var endpoint in endpoints)
        {
            foreach (var address in endpoint.Addresses)
            {
                rules.Add(new SteeringRule(null, Host(address), 1, ushort.MaxValue, null, NobodyListens));
                rules.Add(new SteeringRule(Host(address), null, 1, ushort.MaxValue, null, NobodyListens));
            }
        }
        return rules;
    }

    private static SteeringRule Rule(CompiledEndpoint endpoint, IPAddress address, Redirect redirect, ushort port)
    {
        var own = Host(address);
        IPNetwork? remote = redirect.Remote is { } peer ? Host(peer) : null;
        return redirect.Direction == TrafficDirection.Egress
            ? new SteeringRule(remote, own, redirect.Port, redirect.EndPort, endpoint.Interface, port)
            : new SteeringRule(own, remote, redirect.Port, redirect.EndPort, null, port);
    }

    private static IPNetwork Host(IPAddress address) => new(address, address.GetAddressBytes().Length * 8);
}
