using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using Postern.Agent.Model;
using Postern.Policy;

namespace Postern.Agent.Compile;

/// <summary>
/// Which traffic goes to which listener. There is no other datapath that would enforce ports and peers: of a direction that is enforced all
/// TCP goes to the proxy. Of one that is not enforced only what an annotation asks for.
/// </summary>
internal sealed class RedirectCompiler
{
    private readonly List<(IPAddress Address, uint Identity, ushort Port, ushort EndPort)> httpTargets = [];

    /// <param name="endpoints">All endpoints: what one of them is asked by HTTP rules, the others' egress has to look into, too.</param>
    public RedirectCompiler(IEnumerable<(EndpointObject Endpoint, uint Identity, DirectionRules Ingress)> endpoints)
    {
        foreach (var (endpoint, identity, ingress) in endpoints)
        {
            foreach (var (port, end) in ingress.HttpPorts)
            {
                httpTargets.AddRange(endpoint.Addresses.Select(address => (address, identity, port, end)));
            }
        }
    }

    /// <summary>Those of an identity's policy; endpoints without an annotation share them.</summary>
    public List<Redirect> Compile(DirectionRules ingress, DirectionRules egress)
    {
        var redirects = new List<Redirect>();
        Add(redirects, TrafficDirection.Ingress, ingress);
        Add(redirects, TrafficDirection.Egress, egress);
        if (egress.IsEnforced)
        {
            foreach (var (address, identity, port, end) in httpTargets)
            {
                if (egress.MayAllow(port, end, identity) && !egress.HttpPorts.Contains((port, end)) && !egress.ListenerPorts.Any(one => one.Port <= end && one.EndPort >= port))
                {
                    redirects.Add(new Redirect(TrafficDirection.Egress, port, end, RedirectKind.Http, null, address));
                }
            }
        }
        return Sort(redirects);
    }

    /// <summary>
    /// Adds what the annotation of one endpoint asks for: it shows traffic that policy allows and never allows more, and leaves what is
    /// looked into already as it is.
    /// </summary>
    public static List<Redirect> WithVisibility(List<Redirect> redirects, VisibilityAnnotation annotation, DirectionRules ingress, DirectionRules egress)
    {
        var added = new List<Redirect>();
        foreach (var rule in annotation.Rules.Where(rule => rule is { Protocol: "TCP", Parser: "http" }))
        {
            var direction = rule.Direction == TrafficDirection.Ingress ? ingress : egress;
            if (!direction.HasL7(rule.Port) && direction.MayAllow(rule.Port, rule.Port, null))
            {
                added.Add(new Redirect(rule.Direction, rule.Port, rule.Port, RedirectKind.Http));
            }
        }
        return added.Count == 0 ? redirects : Sort([.. redirects, .. added]);
    }

    private static void Add(List<Redirect> redirects, TrafficDirection direction, DirectionRules rules)
    {
        if (!rules.IsEnforced)
        {
            return;
        }
        redirects.Add(new Redirect(direction, 1, ushort.MaxValue, RedirectKind.Tcp));
        redirects.AddRange(rules.HttpPorts.Select(port => new Redirect(
            direction, port.Port, port.EndPort, rules.HasTermination(port.Port, port.EndPort) ? RedirectKind.Https : RedirectKind.Http)));
        redirects.AddRange(rules.ListenerPorts.Select(port => new Redirect(direction, port.Port, port.EndPort, RedirectKind.Tcp, port.Listener)));
    }

    // Compared as bytes: a text for each comparison would be most of the work.
    private static UInt128 Bits(IPAddress? address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        address?.TryWriteBytes(bytes, out _);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    // Most specific first: a remote address, then fewer ports, then a listener that a policy names, then HTTP.
    private static List<Redirect> Sort(List<Redirect> redirects) => [.. redirects.Distinct()
        .OrderBy(one => one.Direction)
        .ThenBy(one => one.Remote is null)
        .ThenBy(one => one.EndPort - one.Port)
        .ThenBy(one => one.Listener is null)
        .ThenByDescending(one => one.Kind)
        .ThenBy(one => one.Port)
        .ThenBy(one => one.Listener, StringComparer.Ordinal)
        .ThenBy(one => one.Remote?.AddressFamily ?? 0)
        .ThenBy(one => Bits(one.Remote))];
}
