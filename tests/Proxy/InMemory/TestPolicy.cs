using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Text.Json;
using Postern.Filters;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Xds;

namespace Postern.Tests.Proxy.InMemory;

/// <summary>The policy of one test, read from Dialogues/policies/NAME.json and swapped at will. "none" is no policy at all.</summary>
internal sealed class TestPolicy : IPolicySource, ISecretSource
{
    private static readonly ConcurrentDictionary<string, PolicySnapshot> Compiled = new();

    private volatile PolicyState current = PolicyState.Empty;

    public PolicyState Current => current;

    public ISecretSource Secrets => this;

    /// <summary>By name; others are not loaded.</summary>
    public Dictionary<string, string> Generic { get; init; } = new(StringComparer.Ordinal) { ["token"] = "s3cret" };

    public string? FindGenericSecret(string name) => Generic.GetValueOrDefault(name);

    /// <summary>From now on this is in force.</summary>
    public void Use(PolicyState state) => current = state;

    public void Use(string name) => current = current with { Policies = Compiled.GetOrAdd(name, Read), Version = name };

    /// <summary>From now on this address has this identity, and no other has one.</summary>
    public void Identify(IPAddress address, uint identity) =>
        current = current with { Hosts = IdentityMap.Compile([new NetworkPolicyHostsConfig(identity, [address.ToString()])]) };

    private static PolicySnapshot Read(string name)
    {
        if (name == "none")
        {
            return PolicySnapshot.Empty;
        }
        var file = Path.Combine(AppContext.BaseDirectory, "Dialogues", "policies", name + ".json");
        using var json = JsonDocument.Parse(File.ReadAllText(file));
        var resources = new List<NetworkPolicyConfig>();
        foreach (var item in json.RootElement.EnumerateArray())
        {
            resources.Add(PolicyResources.ReadNetworkPolicy(item, name));
        }
        return PolicySnapshot.Compile(resources);
    }
}
