using System;
using System.Collections.Generic;
using Postern.Policy.Compile;
using Postern.Policy.Config;

namespace Postern.Policy;

/// <summary>All endpoint policies in force, compiled. Immutable for readers; swapped by one reference write.</summary>
public sealed class PolicySnapshot
{
    /// <summary>No policy for anyone: everything is denied.</summary>
    public static readonly PolicySnapshot Empty = new([], [], new Dictionary<string, PolicyKey>(StringComparer.Ordinal), SecretUse.None, TlsUse.None, null);

    private readonly NetworkPolicyConfig[] resources;
    private readonly EndpointPolicy[] endpoints;

    internal PolicySnapshot(NetworkPolicyConfig[] resources, EndpointPolicy[] endpoints, Dictionary<string, PolicyKey> keys, SecretUse secrets, TlsUse tls, CompilePool? pool)
    {
        this.resources = resources;
        this.endpoints = endpoints;
        Keys = keys;
        Secrets = secrets;
        Tls = tls;
        Pool = pool;
    }

    /// <summary>The compiled endpoints: in the order of the first update, later ones where there is room.</summary>
    public IReadOnlyList<EndpointPolicy> Endpoints => endpoints;

    /// <summary>The resources this was compiled from, in the order of <see cref="Endpoints"/>.</summary>
    public IReadOnlyList<NetworkPolicyConfig> Resources => resources;

    /// <summary>Names of the generic secrets (<c>value_sds_secret</c>) that the policies refer to, each once.</summary>
    public IReadOnlyCollection<string> SecretNames => Secrets.Names;

    /// <summary>The TLS contexts of the rules, each once by content.</summary>
    public IReadOnlyCollection<(TlsSide Side, TlsContextConfig Context)> TlsContexts => Tls.Contexts;

    internal Dictionary<string, PolicyKey> Keys { get; }

    internal SecretUse Secrets { get; }

    internal TlsUse Tls { get; }

    /// <summary>What the next compilation can share; touched by compilations only.</summary>
    internal CompilePool? Pool { get; }

    /// <summary>The policy whose <c>endpoint_ips</c> hold exactly this text, or null: deny.</summary>
    public EndpointPolicy? FindEndpoint(string address) =>
        Keys.TryGetValue(address, out var key) && key.Kind == PolicyKeyKind.Address ? endpoints[key.Slot] : null;

    /// <summary>Compiles a full (SotW) set. Unchanged resources of <paramref name="previous"/> keep their compiled object.</summary>
    /// <exception cref="PolicyConfigException">The update is refused as a whole; the message is the one Cilium's proxy gives.</exception>
    public static PolicySnapshot Compile(IReadOnlyList<NetworkPolicyConfig> resources, PolicySnapshot? previous = null) =>
        Compile(resources, previous, new UpdateOrigin("", previous is null ? UpdateStream.New : UpdateStream.Old));

    /// <summary>
    /// Compiles a full (SotW) set, naming <paramref name="origin"/> in errors. What <paramref name="previous"/> holds as the same object costs
    /// one look-up.
    /// </summary>
    /// <exception cref="PolicyConfigException">The update is refused as a whole.</exception>
    public static PolicySnapshot Compile(IReadOnlyList<NetworkPolicyConfig> resources, PolicySnapshot? previous, UpdateOrigin origin) =>
        new PolicyCompiler(previous ?? Empty).Compile(resources, origin);

    /// <summary>Compiles an incremental (Delta) update of this snapshot: removals come first, unknown names among them are ignored.</summary>
    /// <exception cref="PolicyConfigException">The update is refused as a whole.</exception>
    public PolicySnapshot With(IReadOnlyList<NetworkPolicyConfig> upserts, IReadOnlyList<string> removed, UpdateOrigin origin) =>
        new PolicyCompiler(this).Compile(upserts, removed, origin);

    internal EndpointPolicy[] CopyEndpoints(int length) => Copy(endpoints, length);

    internal NetworkPolicyConfig[] CopyResources(int length) => Copy(resources, length);

    private static T[] Copy<T>(T[] from, int length)
    {
        var copy = new T[length];
        Array.Copy(from, copy, Math.Min(from.Length, length));
        return copy;
    }
}
