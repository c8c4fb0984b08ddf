using System;
using System.Collections.Generic;
using System.Net;
using Postern.Filters;
using Postern.Policy;
using Postern.Policy.Config;

namespace Postern.Tests.Filters;

/// <summary>A policy source whose state the test swaps, and short ways to write policies.</summary>
internal sealed class PolicyFixture : IPolicySource, ISecretSource
{
    public PolicyState Current { get; private set; } = PolicyState.Empty;

    public ISecretSource Secrets => this;

    public string? FindGenericSecret(string name) => null;

    public void Set(IReadOnlyList<NetworkPolicyConfig> policies, params (uint Identity, string Host)[] hosts)
    {
        var configs = new List<NetworkPolicyHostsConfig>();
        foreach (var (identity, host) in hosts)
        {
            configs.Add(new NetworkPolicyHostsConfig(identity, [host]));
        }
        Current = new PolicyState(PolicySnapshot.Compile(policies), IdentityMap.Compile(configs), "1");
    }

    /// <summary>Policy says of itself what records must carry.</summary>
    public void SetNote(string note) => Current = Current with { Note = note };

    public static NetworkPolicyConfig Ingress(string ip, uint port, params PortRuleConfig[] rules) =>
        new("7", 7, [ip], [new PortNetworkPolicyConfig(port, 0, PolicyProtocol.Tcp, rules.ToEquatableList())], []);

    public static NetworkPolicyConfig Egress(string ip, uint port, params PortRuleConfig[] rules) =>
        new("7", 7, [ip], [], [new PortNetworkPolicyConfig(port, 0, PolicyProtocol.Tcp, rules.ToEquatableList())]);

    public static PortRuleConfig Remote(uint identity) => new() { Name = "remote-" + identity, RemotePolicies = [identity] };

    public static HttpRuleConfig Method(string method) =>
        new([new HeaderMatcherConfig(":method", new StringHeaderMatch(new StringMatcherConfig(StringMatchKind.Exact, method, false)), false, false)], []);

    public ConnectionMetadata Connection(TrafficDirection direction, string source, string destination, uint remote, string sni = "") => new()
    {
        Direction = direction,
        PodAddress = IPEndPoint.Parse(direction == TrafficDirection.Ingress ? destination : source).Address.ToString(),
        SourceIdentity = direction == TrafficDirection.Ingress ? remote : 1,
        DestinationIdentity = direction == TrafficDirection.Ingress ? 0 : remote,
        Source = IPEndPoint.Parse(source),
        Destination = IPEndPoint.Parse(destination),
        ProxyId = 0,
        Sni = sni,
        UpstreamSourceAddress = null,
        Policy = this,
    };
}
