using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using Cilium;
using Postern.Agent.Identities;
using Postern.Agent.Model;
using Postern.Policy;

namespace Postern.Agent.Compile;

/// <summary>
/// What the folder says → what is served, steered and shown. The same model and allocator give the same result, whatever the order of files
/// and rules. Endpoints with the same labels share all that is compiled for them.
/// </summary>
/// <param name="allocator">Gives numbers and remembers them.</param>
/// <param name="hostAddresses">Of this node's interfaces; they are the host, not the world. An endpoint's own address stays the endpoint's.</param>
public sealed class NodeCompiler(IdentityAllocator allocator, Func<IReadOnlyCollection<IPAddress>>? hostAddresses = null)
{
    private sealed record IdentityPolicy(DirectionRules Ingress, DirectionRules Egress, IReadOnlyList<string> Policies)
    {
        public List<Redirect>? Redirects { get; set; }

        public IReadOnlyList<RuleOrigin> Origins { get; } = [.. Ingress.Origins, .. Egress.Origins];
    }

    /// <summary>Compiles. Not thread-safe: the allocator remembers.</summary>
    public CompiledNode Compile(NodeModel model)
    {
        var warnings = new List<string>();
        allocator.BeginRound();
        var identities = new IdentityBook(model, allocator, warnings);
        var ids = EndpointIds(model, warnings);
        var named = EnvoyConfigCompiler.NamedListeners(model);
        var rules = new RuleCompiler(model, identities, warnings);
        var specs = model.Policies.SelectMany(policy => policy.Specs.Select(spec => (policy, spec))).Where(one => one.spec.Subject is not null).ToList();
        var policies = PolicyOfIdentity(identities, specs, rules);
        warnings.AddRange(specs.Where(one => !identities.Endpoints.Values.Any(one.spec.Subject!.Matches)).Select(one => $"{one.policy.Key} {one.spec.Place}: selects no endpoint"));
        warnings.AddRange(model.Policies.SelectMany(policy => policy.Warnings));
        warnings.AddRange(model.EnvoyConfigs.SelectMany(config => config.Warnings));
        var placed = model.Endpoints.Where(endpoint => ids.ContainsKey(endpoint.Key)).Select(endpoint => Place(endpoint, identities, policies)).ToList();
        var redirects = new RedirectCompiler(placed.Select(one => (one.Endpoint, one.Identity, one.Policy.Ingress)));
        return new CompiledNode
        {
            Endpoints = [.. placed.Select(one => Endpoint(one.Endpoint, ids[one.Endpoint.Key], one.Identity, one.Policy, identities, redirects)).OrderBy(one => one.Id)],
            Blocked = [.. model.Endpoints.Where(endpoint => !ids.ContainsKey(endpoint.Key)).Select(Block)],
            Identities = CompiledIdentities(identities),
            Hosts = HostCompiler.Compile(model, identities, hostAddresses?.Invoke() ?? []),
            ServiceEndpoints = ServiceCompiler.Compile(model, warnings),
            EnvoyConfigs = [.. model.EnvoyConfigs.Select(config => EnvoyConfigCompiler.Compile(config, named))],
            Secrets = SecretCompiler.Compile(model.Secrets, warnings),
            Warnings = [.. warnings.Concat(model.Endpoints.SelectMany(endpoint => endpoint.Warnings)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
        };
    }

    /// <summary>A node of which only the endpoints can be trusted: what its policies say is not known, hence all of them are cut off.</summary>
    public static CompiledNode Block(NodeModel model) => new()
    {
        Blocked = [.. model.Endpoints.Select(Block)],
        Warnings = [$"the folder was never free of problems: its {model.Endpoints.Count} endpoints are cut off until it is"],
    };

    private static BlockedEndpoint Block(EndpointObject endpoint) => new(endpoint.Key.QualifiedName, endpoint.Addresses);

    private Dictionary<ObjectKey, ushort> EndpointIds(NodeModel model, List<string> warnings)
    {
        var ids = new Dictionary<ObjectKey, ushort>();
        foreach (var endpoint in model.Endpoints.Where(endpoint => endpoint.Id is not null))
        {
            allocator.ClaimEndpointId(endpoint.Key.QualifiedName, endpoint.Id!.Value);
            ids.Add(endpoint.Key, endpoint.Id.Value);
        }
        foreach (var endpoint in model.Endpoints.Where(endpoint => endpoint.Id is null))
        {
            if (allocator.EndpointId(endpoint.Key.QualifiedName) is { } id)
            {
                ids.Add(endpoint.Key, id);
            }
            else
            {
                warnings.Add($"{endpoint.Key} gets no id: all 65535 are in use; its traffic is dropped");
            }
        }
        return ids;
    }

    // Identities that the same specs select share one object.
    private static Dictionary<uint, IdentityPolicy> PolicyOfIdentity(IdentityBook identities, List<(PolicyObject Policy, PolicySpec Spec)> specs, RuleCompiler rules)
    {
        var bySelection = new Dictionary<string, IdentityPolicy>(StringComparer.Ordinal);
        var found = new Dictionary<uint, IdentityPolicy>();
        foreach (var (identity, labels) in identities.Endpoints)
        {
            var selecting = Enumerable.Range(0, specs.Count).Where(i => specs[i].Spec.Subject!.Matches(labels)).ToList();
            var key = string.Join(',', selecting);
            if (!bySelection.TryGetValue(key, out var policy))
            {
                var chosen = selecting.Select(i => specs[i]).ToList();
                bySelection.Add(key, policy = new IdentityPolicy(
                    DirectionRules.Compile(TrafficDirection.Ingress, chosen, rules),
                    DirectionRules.Compile(TrafficDirection.Egress, chosen, rules),
                    [.. chosen.Select(one => one.Policy.Key.QualifiedName).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)]));
            }
            found.Add(identity, policy);
        }
        return found;
    }

    // An endpoint without an identity is not left alone: nothing is allowed to it or from it.
    private static (EndpointObject Endpoint, uint Identity, IdentityPolicy Policy) Place(EndpointObject endpoint, IdentityBook identities, Dictionary<uint, IdentityPolicy> policies) =>
        identities.OfEndpoint.TryGetValue(endpoint.Key, out var identity)
            ? (endpoint, identity, policies[identity])
            : (endpoint, Postern.Policy.Identities.Unknown, new IdentityPolicy(DirectionRules.DenyAll, DirectionRules.DenyAll, []));

    private static CompiledEndpoint Endpoint(EndpointObject endpoint, ushort id, uint identity, IdentityPolicy policy, IdentityBook identities, RedirectCompiler redirects)
    {
        var served = new NetworkPolicy { EndpointId = id };
        served.EndpointIps.AddRange(endpoint.Addresses.Select(address => address.ToString()));
        served.IngressPerPortPolicies.AddRange(policy.Ingress.Entries);
        served.EgressPerPortPolicies.AddRange(policy.Egress.Entries);
        policy.Redirects ??= redirects.Compile(policy.Ingress, policy.Egress);
        return new CompiledEndpoint
        {
            Id = id,
            Name = endpoint.Key.QualifiedName,
            Identity = identity,
            Labels = identities.Endpoints.TryGetValue(identity, out var labels) ? labels.Texts : [],
            Addresses = endpoint.Addresses,
            Interface = endpoint.Interface,
            Netns = endpoint.Netns,
            Policy = served,
            IngressEnforced = policy.Ingress.IsEnforced,
            EgressEnforced = policy.Egress.IsEnforced,
            Redirects = RedirectCompiler.WithVisibility(policy.Redirects, endpoint.Visibility, policy.Ingress, policy.Egress),
            Policies = policy.Policies,
            Origins = policy.Origins,
        };
    }

    private static List<CompiledIdentity> CompiledIdentities(IdentityBook identities)
    {
        var all = new SortedDictionary<uint, LabelSet>();
        foreach (var reserved in ReservedIdentities.Names.Keys)
        {
            all[reserved] = ReservedIdentities.LabelsOf(reserved);
        }
        foreach (var (identity, labels) in identities.Endpoints)
        {
            all[identity] = labels;
        }
        foreach (var (prefix, identity) in identities.Cidrs)
        {
            all[identity] = CidrBook.LabelsOf(prefix);
        }
        return [.. all.Select(pair => new CompiledIdentity(pair.Key, pair.Value.Texts))];
    }
}
