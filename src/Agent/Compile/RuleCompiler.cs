using System;
using System.Collections.Generic;
using System.Linq;
using Cilium;
using Postern.Agent.Identities;
using Postern.Agent.Model;

namespace Postern.Agent.Compile;

/// <summary>
/// The rules of policies as rules on the wire, one for each port. Whom a rule means does not depend on whose policy it is, so each is
/// built once.
/// </summary>
internal sealed class RuleCompiler
{
    private readonly IdentityBook identities;
    private readonly HashSet<SecretReference> certificates;
    private readonly HashSet<SecretReference> bundles;
    private readonly HashSet<string> listeners;
    private readonly List<string> warnings;
    private readonly Dictionary<PolicyRule, List<RuleOrigin>> compiled = new(ReferenceEqualityComparer.Instance);

    /// <param name="model">For secrets and CiliumEnvoyConfigs that rules refer to.</param>
    /// <param name="identities">Who is who.</param>
    /// <param name="warnings">Gets a line for rules that reach nobody.</param>
    public RuleCompiler(NodeModel model, IdentityBook identities, List<string> warnings)
    {
        this.identities = identities;
        this.warnings = warnings;
        certificates = [.. model.Secrets.Where(SecretCompiler.HasCertificate).Select(Reference)];
        bundles = [.. model.Secrets.Where(SecretCompiler.IsBundle).Select(Reference)];
        listeners = [.. EnvoyConfigCompiler.ListenerNames(model)];
    }

    /// <summary>The rule port by port; nothing when it selects nobody or is not about TCP.</summary>
    public IReadOnlyList<RuleOrigin> Compile(PolicyObject policy, PolicySpec spec, PolicyRule rule)
    {
        if (!compiled.TryGetValue(rule, out var found))
        {
            compiled.Add(rule, found = [.. Build(policy, spec, rule)]);
        }
        return found;
    }

    private IEnumerable<RuleOrigin> Build(PolicyObject policy, PolicySpec spec, PolicyRule rule)
    {
        var place = $"{spec.Place}.{rule.Place}";
        if (rule.IsIcmpOnly || (rule.Peers is null && rule.ToPorts is null))
        {
            yield break;
        }
        var remotes = rule.Peers is null ? null : identities.Resolve(rule.Peers);
        if (remotes is { Length: 0 })
        {
            if (rule.Peers!.Any(peer => peer is not UnresolvedPeer and not EntityPeer { Entity: PeerEntity.None }))
            {
                warnings.Add($"{policy.Key} {place}: selects no identity; the rule does nothing until it does");
            }
            yield break;
        }
        if (rule.ToPorts is null)
        {
            yield return Origin(new PortNetworkPolicyRule(), place, default, null);
        }
        foreach (var ports in rule.ToPorts ?? [])
        {
            var listener = ports.Listener?.QualifiedName;
            if (listener is not null && !listeners.Contains(listener))
            {
                warnings.Add($"{policy.Key} {place}.{ports.Place}: there is no listener {listener}; the rule allows nothing until there is");
                continue;
            }
            WarnOfSecrets(ports, $"{policy.Key} {place}.{ports.Place}");
            var body = RuleBodyCompiler.Build(ports, certificates.Contains);
            foreach (var port in ports.Ports.Distinct())
            {
                yield return Origin(body.Clone(), $"{place}.{ports.Place}", port, listener);
            }
        }

        RuleOrigin Origin(PortNetworkPolicyRule built, string at, PortRange port, string? listener)
        {
            built.Name = policy.Key.QualifiedName;
            built.RemotePolicies.AddRange(remotes ?? []);
            if (rule.Effect == RuleEffect.Deny)
            {
                built.Deny = true;
            }
            return new RuleOrigin(policy.Key.QualifiedName, at, policy.Source, rule.Direction, port.Port, port.EndPort, built) { Listener = listener };
        }
    }

    // The proxy refuses what needs a secret that it does not get, and its record says so; here it is said beforehand.
    private void WarnOfSecrets(PortRule ports, string at)
    {
        if (ports.TerminatingTls is { } terminating && !certificates.Contains(terminating))
        {
            warnings.Add($"{at}: terminatingTLS needs a Secret {terminating.Namespace}/{terminating.Name} with tls.crt and tls.key; TLS connections are refused until there is one");
        }
        if (ports.OriginatingTls is { } originating && !bundles.Contains(originating))
        {
            warnings.Add($"{at}: originatingTLS needs a Secret {originating.Namespace}/{originating.Name} with ca.crt and without tls.crt; connections are refused until there is one");
        }
    }

    private static SecretReference Reference(SecretObject secret) => new(secret.Key.Namespace, secret.Key.Name);
}
