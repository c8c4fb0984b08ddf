using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Postern.Filters;
using Postern.Policy;
using Postern.Proxy.Lifecycle;
using Postern.Proxy.Upstream;
using Postern.Xds;
using Postern.Xds.Config;

namespace Postern.Proxy.PolicyTest;

/// <summary>
/// Kind bpf_metadata: a listener filter's configuration, and what it makes of one connection. A configuration that names no source of identities is taken to have
/// one: here they come from the case's <c>host_map</c>.
/// </summary>
internal static class BpfMetadataCase
{
    public static void Run(JsonElement @case, CaseReport report)
    {
        var context = CaseJson.Field(@case, "context") ?? throw new CaseFormatException("'context' is missing");
        var filter = CaseJson.Field(context, "bpf_metadata") ?? throw new CaseFormatException("'context.bpf_metadata' is missing: the filter's configuration");
        var config = Read(@case, filter, report);
        if (config is null || CaseJson.Field(context, "connection") is not { } connection)
        {
            return;
        }
        var source = new GivenPolicy(State(@case, context));
        var metadata = SnapshotCompiler.Metadata(config, source, isOnlyDatapath: false).Resolve(EndPoint(connection, "remote_address"), EndPoint(connection, "original_destination"), CaseJson.Text(connection, "sni") ?? "");
        var found = Describe(metadata);
        var failures = new List<string>();
        if (CaseJson.Field(@case, "expect_metadata") is { ValueKind: JsonValueKind.Object } expected)
        {
            foreach (var wanted in expected.EnumerateObject())
            {
                // Others speak of things that a connection has only when it is live.
                if (found.TryGetPropertyValue(wanted.Name, out var value) && !JsonNode.DeepEquals(value, JsonNode.Parse(wanted.Value.GetRawText())))
                {
                    failures.Add($"expect_metadata.{wanted.Name}: expected {wanted.Value.GetRawText()}, got {value?.ToJsonString() ?? "null"}");
                }
            }
        }
        found.Insert(0, "case", report.Case);
        report.Write(found, failures);
    }

    private static BpfMetadataConfig? Read(JsonElement @case, JsonElement filter, CaseReport report)
    {
        BpfMetadataConfig? config = null;
        string? error = null;
        try
        {
            config = PolicyResources.ReadBpfMetadata(WithSources(filter), "bpf_metadata");
        }
        catch (XdsConfigException refusal)
        {
            error = refusal.Message;
        }
        var failures = new List<string>();
        var expected = CaseJson.Text(@case, "expect_config") ?? (CaseJson.Text(@case, "reject_error") is null ? "accept" : "reject");
        if (expected is not ("accept" or "reject"))
        {
            throw new CaseFormatException($"'expect_config' must be accept or reject, not '{expected}'");
        }
        if (expected != (error is null ? "accept" : "reject"))
        {
            failures.Add($"expect_config: expected {expected}");
        }
        // Ours begin with the place of the field.
        if (CaseJson.Text(@case, "reject_error") is { } wanted && !(error?.Contains(wanted, StringComparison.Ordinal) ?? false))
        {
            failures.Add($"reject_error: expected text with '{wanted}'");
        }
        report.Update(error, failures);
        return config;
    }

    private static JsonElement WithSources(JsonElement filter)
    {
        var node = JsonNode.Parse(filter.GetRawText())!.AsObject();
        node["use_nphds"] = true;
        if (node["cilium_config_source"] is JsonObject source && source["api_config_source"] is JsonObject api && !api.ContainsKey("grpc_services"))
        {
            node.Remove("cilium_config_source");
        }
        return JsonSerializer.SerializeToElement(node);
    }

    private static PolicyState State(JsonElement @case, JsonElement context)
    {
        var policies = CaseJson.Items(@case, "policy").Select((item, i) => PolicyResources.ReadNetworkPolicy(item, $"policy[{i}]")).ToList();
        var hosts = CaseJson.Items(context, "host_map").Select((item, i) => PolicyResources.ReadNetworkPolicyHosts(item, $"host_map[{i}]")).ToList();
        return new PolicyState(PolicySnapshot.Compile(policies), IdentityMap.Compile(hosts), "case");
    }

    private static JsonObject Describe(ConnectionMetadata metadata)
    {
        var balancer = metadata.L7Lb;
        if (balancer is { Unusable.Length: > 0 })
        {
            return new JsonObject { ["metadata"] = false, ["detail"] = balancer.Unusable };
        }
        return new JsonObject
        {
            ["metadata"] = true,
            ["policy_name"] = metadata.PodAddress,
            ["source_identity"] = metadata.SourceIdentity,
            ["destination_identity"] = metadata.DestinationIdentity,
            ["ingress_policy_name"] = balancer?.IngressPolicyName ?? "",
            ["ingress_source_identity"] = balancer?.IngressSourceIdentity ?? 0,
            ["mark"] = $"0x{UpstreamConnector.MarkOf(metadata):x8}",
            ["source_address"] = metadata.UpstreamSourceTowards(metadata.Destination.Address)?.ToString(),
        };
    }

    private static IPEndPoint EndPoint(JsonElement connection, string name) =>
        IPEndPoint.TryParse(CaseJson.Text(connection, name) ?? throw new CaseFormatException($"'connection.{name}' is missing"), out var endpoint)
            ? endpoint
            : throw new CaseFormatException($"'connection.{name}' is no address with a port");

    private sealed class GivenPolicy(PolicyState state) : IPolicySource, ISecretSource
    {
        public PolicyState Current => state;

        public ISecretSource Secrets => this;

        public string? FindGenericSecret(string name) => null;
    }
}
