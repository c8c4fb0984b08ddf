using System;
using System.Collections.Generic;
using Postern.Policy;
using Postern.Policy.Config;

namespace Postern.Tests.Policy;

/// <summary>Short forms for building policies in tests.</summary>
internal static class Make
{
    public const string Ip = "10.1.2.3";

    public static readonly NoSecrets Secrets = new([]);

    public static PortRuleConfig Allow(params uint[] remotes) => new() { RemotePolicies = EquatableList.Create<uint>(remotes) };

    public static PortRuleConfig Deny(params uint[] remotes) => Allow(remotes) with { Deny = true };

    public static PortRuleConfig Pass(uint precedence, uint pass, params uint[] remotes) => Allow(remotes) with { Precedence = precedence, PassPrecedence = pass };

    public static PortNetworkPolicyConfig Port(uint port, params PortRuleConfig[] rules) => Range(port, 0, rules);

    public static PortNetworkPolicyConfig Range(uint port, uint end, params PortRuleConfig[] rules) => new(port, end, PolicyProtocol.Tcp, EquatableList.Create<PortRuleConfig>(rules));

    public static NetworkPolicyConfig Endpoint(params PortNetworkPolicyConfig[] ingress) => Endpoint("42", Ip, ingress);

    public static NetworkPolicyConfig Endpoint(string name, string ip, params PortNetworkPolicyConfig[] ingress) =>
        new(name, ulong.Parse(name), EquatableList.Create<string>([ip]), EquatableList.Create<PortNetworkPolicyConfig>(ingress), EquatableList<PortNetworkPolicyConfig>.Empty);

    public static PolicySnapshot Snapshot(params NetworkPolicyConfig[] resources) => PolicySnapshot.Compile(resources);

    public static PortPolicy PortOf(NetworkPolicyConfig endpoint, ushort port = 80) =>
        Snapshot(endpoint).FindEndpoint(endpoint.EndpointIps[0])!.FindPort(TrafficDirection.Ingress, port);

    public static PortPolicy Rules(params PortRuleConfig[] rules) => PortOf(Endpoint(Port(80, rules)));

    public static HttpRuleConfig Http(params HeaderMatcherConfig[] headers) => new(EquatableList.Create<HeaderMatcherConfig>(headers), EquatableList<HeaderMatchConfig>.Empty);

    public static HttpRuleConfig HttpMatch(params HeaderMatchConfig[] matches) => new(EquatableList<HeaderMatcherConfig>.Empty, EquatableList.Create<HeaderMatchConfig>(matches));

    public static PortRuleConfig WithHttp(this PortRuleConfig rule, params HttpRuleConfig[] http) => rule with { HttpRules = EquatableList.Create<HttpRuleConfig>(http) };

    public static HeaderMatcherConfig Header(string name, StringMatchKind kind, string pattern, bool invert = false, bool missingIsEmpty = false, bool ignoreCase = false) =>
        new(name, new StringHeaderMatch(new StringMatcherConfig(kind, pattern, ignoreCase)), invert, missingIsEmpty);

    public static HeaderMatcherConfig Path(string exact) => Header(":path", StringMatchKind.Exact, exact);

    public static PolicyVerdict Net(this PortPolicy port, uint remote, string sni = "", uint proxyId = 42) => port.EvaluateNetwork(remote, sni, proxyId);

    public static PolicyVerdict Request(this PortPolicy port, uint remote, TestRequest request, HeaderMatchLog? log = null, ISecretSource? secrets = null) =>
        port.EvaluateHttp(remote, 42, request, secrets ?? Secrets, log ?? new HeaderMatchLog());
}

internal sealed class NoSecrets(Dictionary<string, string> values) : ISecretSource
{
    public string? FindGenericSecret(string name) => values.GetValueOrDefault(name);
}

internal sealed class TestRequest(string path = "/", string method = "GET", string authority = "host") : IHttpPolicyRequest
{
    public List<KeyValuePair<string, string>> Headers { get; } = [];

    public int Count => Headers.Count;

    public ReadOnlySpan<char> Method => method;

    public ReadOnlySpan<char> Path => path;

    public ReadOnlySpan<char> Authority => authority;

    public ReadOnlySpan<char> Scheme => "http";

    public ReadOnlySpan<char> NameAt(int index) => Headers[index].Key;

    public ReadOnlySpan<char> ValueAt(int index) => Headers[index].Value;

    public TestRequest With(string name, string value)
    {
        AppendHeader(name, value);
        return this;
    }

    public void RemoveHeader(string name) => Headers.RemoveAll(header => string.Equals(header.Key, name, StringComparison.OrdinalIgnoreCase));

    public void AppendHeader(string name, string value) => Headers.Add(KeyValuePair.Create(name, value));

    public void SetHeader(string name, string value)
    {
        RemoveHeader(name);
        AppendHeader(name, value);
    }
}
