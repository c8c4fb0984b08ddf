using System.Text;
using System.Text.Json;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;
using Postern.Proxy.Admin.Dump;
using Postern.Xds.Config;

namespace Postern.Proxy.Admin.Pages;

/// <summary><c>/clusters</c>: clusters in force and their endpoints; <c>filter</c> picks by name, <c>format=json</c> gives Envoy's Clusters message.</summary>
internal sealed class ClustersPage(IAdminTarget target)
{
    public async Task ServeAsync(HttpContext context)
    {
        var names = NamePattern.Part(context, "filter");
        if (!AnswerFormat.IsJson(context))
        {
            await WriteTextAsync(context, names).ConfigureAwait(false);
            return;
        }
        await using var stream = context.BeginJson();
        stream.Json.WriteStartObject();
        stream.Json.WriteStartArray("cluster_statuses");
        foreach (var cluster in target.Clusters)
        {
            if (names is null || names.Matches(cluster.Config.Name))
            {
                WriteCluster(stream.Json, cluster);
                await stream.PaceAsync().ConfigureAwait(false);
            }
        }
        stream.Json.WriteEndArray();
        stream.Json.WriteEndObject();
    }

    private Task WriteTextAsync(HttpContext context, NamePattern? names)
    {
        var text = new StringBuilder();
        foreach (var cluster in target.Clusters)
        {
            if (names is not null && !names.Matches(cluster.Config.Name))
            {
                continue;
            }
            var name = OneLine.Of(cluster.Config.Name);
            text.Append($"{name}::observability_name::{name}\n");
            text.Append($"{name}::added_via_api::{(cluster.FromDiscovery ? "true" : "false")}\n");
            if (cluster.Config.Eds is { } eds)
            {
                text.Append($"{name}::eds_service_name::{OneLine.Of(eds.ServiceName)}\n");
            }
            foreach (var endpoint in cluster.Endpoints)
            {
                var address = OneLine.Of(endpoint.Address.ToString() ?? "");
                text.Append($"{name}::{address}::health_flags::{(endpoint.Usable ? "healthy" : "/failed_eds_health")}\n");
                text.Append($"{name}::{address}::weight::{endpoint.Weight}\n");
                text.Append($"{name}::{address}::priority::{endpoint.Priority}\n");
            }
        }
        return context.WriteTextAsync(StatusCodes.Status200OK, text.ToString());
    }

    private static void WriteCluster(Utf8JsonWriter json, ClusterStatus cluster)
    {
        json.WriteStartObject();
        json.WriteString("name", cluster.Config.Name);
        json.WriteBoolean("added_via_api", cluster.FromDiscovery);
        json.WriteString("observability_name", cluster.Config.Name);
        if (cluster.Config.Eds is { } eds)
        {
            json.WriteString("eds_service_name", eds.ServiceName);
        }
        json.WriteStartArray("host_statuses");
        foreach (var endpoint in cluster.Endpoints)
        {
            WriteEndpoint(json, endpoint);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteEndpoint(Utf8JsonWriter json, LbEndpointConfig endpoint)
    {
        json.WriteStartObject();
        BootstrapDump.WriteAddress(json, "address", endpoint.Address);
        json.WriteStartObject("health_status");
        json.WriteString("eds_health_status", endpoint.Usable ? "HEALTHY" : "UNHEALTHY");
        json.WriteEndObject();
        json.WriteNumber("weight", endpoint.Weight);
        json.WriteNumber("priority", endpoint.Priority);
        json.WriteEndObject();
    }
}
