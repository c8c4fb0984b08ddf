using System;
using System.Net;
using System.Text.Json;
using Postern.Xds.Config;

namespace Postern.Proxy.Admin.Dump;

/// <summary>What came with the bootstrap. Its messages are not kept, so this shows what Postern made of them: addresses, types, sources.</summary>
internal static class BootstrapDump
{
    /// <summary>The <c>bootstrap</c> field.</summary>
    public static DumpItem Of(IAdminTarget target) => new(["bootstrap"], json => Write(json, target.Bootstrap));

    /// <summary>Fields of a <c>StaticListener</c>.</summary>
    public static void WriteListener(Utf8JsonWriter json, ListenerConfig listener, DateTimeOffset loaded)
    {
        json.WriteStartObject("listener");
        json.WriteString("@type", Xds.Discovery.ResourceType.Listener.TypeUrl);
        json.WriteString("name", listener.Name);
        WriteAddress(json, "address", listener.Addresses[0]);
        json.WriteEndObject();
        json.WriteTime("last_updated", loaded);
    }

    /// <summary>Fields of a <c>StaticCluster</c>.</summary>
    public static void WriteCluster(Utf8JsonWriter json, ClusterConfig cluster, DateTimeOffset loaded)
    {
        json.WriteStartObject("cluster");
        json.WriteString("@type", Xds.Discovery.ResourceType.Cluster.TypeUrl);
        json.WriteString("name", cluster.Name);
        json.WriteString("type", TypeName(cluster.Type));
        json.WriteString("connect_timeout", cluster.ConnectTimeout.TotalSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture) + "s");
        json.WriteEndObject();
        json.WriteTime("last_updated", loaded);
    }

    /// <summary>Fields of a <c>StaticEndpointConfig</c>.</summary>
    public static void WriteEndpoints(Utf8JsonWriter json, ClusterStatus cluster)
    {
        json.WriteStartObject("endpoint_config");
        json.WriteString("@type", Xds.Discovery.ResourceType.Endpoint.TypeUrl);
        json.WriteString("cluster_name", cluster.Config.Name);
        json.WriteStartArray("endpoints");
        foreach (var endpoint in cluster.Endpoints)
        {
            json.WriteStartObject();
            json.WriteStartArray("lb_endpoints");
            json.WriteStartObject();
            json.WriteStartObject("endpoint");
            WriteAddress(json, "address", endpoint.Address);
            json.WriteEndObject();
            json.WriteString("health_status", endpoint.Usable ? "HEALTHY" : "UNHEALTHY");
            json.WriteNumber("load_balancing_weight", endpoint.Weight);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteNumber("priority", endpoint.Priority);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>An <c>envoy.config.core.v3.Address</c>.</summary>
    public static void WriteAddress(Utf8JsonWriter json, string name, EndPoint address)
    {
        json.WriteStartObject(name);
        if (address is IPEndPoint ip)
        {
            json.WriteStartObject("socket_address");
            json.WriteString("address", ip.Address.ToString());
            json.WriteNumber("port_value", ip.Port);
        }
        else
        {
            json.WriteStartObject("pipe");
            json.WriteString("path", address.ToString());
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, BootstrapConfig bootstrap)
    {
        json.WritePropertyName("node");
        MessageJson.WriteMessage(json, bootstrap.Node);
        if (bootstrap.AdminAddress is { } admin)
        {
            json.WriteStartObject("admin");
            WriteAddress(json, "address", admin);
            json.WriteEndObject();
        }
        json.WriteStartObject("dynamic_resources");
        WriteSource(json, "lds_config", bootstrap.LdsSource);
        WriteSource(json, "cds_config", bootstrap.CdsSource);
        WriteSource(json, "ads_config", bootstrap.AdsSource);
        json.WriteEndObject();
    }

    private static void WriteSource(Utf8JsonWriter json, string name, ConfigSourceConfig? source)
    {
        if (source is not null)
        {
            json.WriteString(name, source.ToString());
        }
    }

    private static string TypeName(ClusterType type) => type switch
    {
        ClusterType.OriginalDst => "ORIGINAL_DST",
        ClusterType.Eds => "EDS",
        _ => type.ToString().ToUpperInvariant(),
    };
}
