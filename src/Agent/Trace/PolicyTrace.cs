using System.Collections.Generic;
using System.Linq;
using System.Net;
using Cilium;
using Postern.Agent.Compile;
using Postern.Policy;
using Postern.Xds;

namespace Postern.Agent.Trace;

/// <summary>
/// Says what the proxy would say, and which rule of which file it comes from. The verdict is the proxy's own engine on the policy as it is
/// served; a rule "decided" when the engine says the same of it alone.
/// </summary>
public static class PolicyTrace
{
    /// <summary>Traces; null with a problem when one of the sides is not known.</summary>
    /// <param name="node">What is served.</param>
    /// <param name="from">See <see cref="TraceParty.Find"/>.</param>
    /// <param name="to">See <see cref="TraceParty.Find"/>.</param>
    /// <param name="port">TCP port of the destination.</param>
    /// <param name="request">A request, or null for the connection alone.</param>
    /// <param name="problem">Why it cannot be traced.</param>
    public static TraceResult? Run(CompiledNode node, string from, string to, ushort port, TraceRequest? request, out string problem) =>
        TraceParty.Find(node, from, out problem) is { } source && TraceParty.Find(node, to, out problem) is { } target
            ? Run(source, target, port, request)
            : null;

    /// <summary>Traces.</summary>
    public static TraceResult Run(TraceParty from, TraceParty to, ushort port, TraceRequest? request) => new(
        from,
        to,
        port,
        from.Endpoint is null ? null : Judge(from.Endpoint, TrafficDirection.Egress, to, port, request),
        to.Endpoint is null ? null : Judge(to.Endpoint, TrafficDirection.Ingress, from, port, request));

    private static TraceSide Judge(CompiledEndpoint endpoint, TrafficDirection direction, TraceParty remote, ushort port, TraceRequest? request)
    {
        var redirect = endpoint.Redirects.FirstOrDefault(one => one.Direction == direction && one.Port <= port && one.EndPort >= port
            && (one.Remote is null || IsAt(remote, one.Remote)));
        if (redirect is null)
        {
            return new TraceSide(false, new PolicyVerdict(PolicyDecision.Allow, PolicyReason.Allowed, ""), []);
        }
        var verdict = Judge(endpoint.Policy, direction, redirect.Kind, remote.Identity, port, request);
        var rules = new List<RuleOrigin>();
        foreach (var origin in endpoint.Origins.Where(origin => origin.Direction == direction && Covers(origin, port)))
        {
            if (origin.Rule.RemotePolicies.Count > 0 && !origin.Rule.RemotePolicies.Contains(remote.Identity))
            {
                continue;
            }
            var alone = Judge(Alone(endpoint.Policy, origin), direction, redirect.Kind, remote.Identity, port, request);
            if (verdict.Decision == PolicyDecision.None ? !origin.Rule.Deny : alone.Decision == verdict.Decision)
            {
                rules.Add(origin);
            }
        }
        return new TraceSide(true, verdict, rules);
    }

    private static PolicyVerdict Judge(NetworkPolicy policy, TrafficDirection direction, RedirectKind kind, uint remote, ushort port, TraceRequest? request)
    {
        var compiled = PolicySnapshot.Compile([PolicyResources.FromProto(policy)]).Endpoints[0].FindPort(direction, port);
        if (kind == RedirectKind.Tcp)
        {
            return compiled.EvaluateOpaque(remote, "", 0);
        }
        var connection = compiled.EvaluateNetwork(remote, "", 0);
        return connection.IsAllowed && request is not null
            ? compiled.EvaluateHttp(remote, 0, request.Copy(), NoSecrets.Instance, new HeaderMatchLog())
            : connection;
    }

    private static NetworkPolicy Alone(NetworkPolicy policy, RuleOrigin origin)
    {
        var entry = new PortNetworkPolicy { Port = origin.Port, EndPort = origin.EndPort };
        entry.Rules.Add(origin.Rule);
        var alone = new NetworkPolicy { EndpointId = policy.EndpointId };
        alone.EndpointIps.AddRange(policy.EndpointIps);
        (origin.Direction == TrafficDirection.Ingress ? alone.IngressPerPortPolicies : alone.EgressPerPortPolicies).Add(entry);
        return alone;
    }

    private static bool Covers(RuleOrigin origin, ushort port) =>
        origin.Port == 0 || (origin.Port <= port && System.Math.Max(origin.Port, origin.EndPort) >= port);

    private static bool IsAt(TraceParty remote, IPAddress address) =>
        remote.Endpoint?.Addresses.Contains(address) ?? address.Equals(remote.Address);

    /// <summary>Secrets are the proxy's: a rule that needs one does not match here.</summary>
    private sealed class NoSecrets : ISecretSource
    {
        public static readonly NoSecrets Instance = new();

        public string? FindGenericSecret(string name) => null;
    }
}
