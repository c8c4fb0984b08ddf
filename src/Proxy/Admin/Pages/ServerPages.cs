using System;
using System.Reflection;
using System.Text.Json;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;
using Postern.Proxy.Admin.Dump;

namespace Postern.Proxy.Admin.Pages;

/// <summary>Pages about the process: <c>/ready</c>, <c>/server_info</c>, <c>/memory</c>.</summary>
internal sealed class ServerPages(IAdminTarget target, TimeProvider time)
{
    /// <summary>In the form of Envoy's: revision/version/tree/build/library. The first part is a name, because Cilium compares it with a revision of its own Envoy.</summary>
    public static readonly string Version = $"postern/{typeof(ServerPages).Assembly.GetName().Version?.ToString(3)}/Clean/RELEASE/dotnet";

    /// <summary>Envoy's name of a state.</summary>
    public static string NameOf(ServerState state) => state switch
    {
        ServerState.Live => "LIVE",
        ServerState.Draining => "DRAINING",
        ServerState.PreInitializing => "PRE_INITIALIZING",
        _ => "INITIALIZING",
    };

    public Task ReadyAsync(HttpContext context)
    {
        var state = target.State;
        var text = NameOf(state) + "\n";
        if (target.StateDetail is { Length: > 0 } detail)
        {
            text += OneLine.Of(detail) + "\n";
        }
        return context.WriteTextAsync(state == ServerState.Live ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, text);
    }

    public Task InfoAsync(HttpContext context) => context.WriteJsonAsync(json =>
    {
        var uptime = JsonTimes.Seconds(time.GetUtcNow() - target.Started);
        json.WriteStartObject();
        json.WriteString("version", Version);
        json.WriteString("state", NameOf(target.State));
        json.WriteString("uptime_current_epoch", uptime);
        json.WriteString("uptime_all_epochs", uptime);
        json.WriteString("hot_restart_version", "disabled");
        json.WriteStartObject("command_line_options");
        json.WriteNumber("concurrency", Environment.ProcessorCount);
        json.WriteString("mode", "Serve");
        json.WriteBoolean("disable_hot_restart", true);
        json.WriteString("service_node", target.Bootstrap.Node.Id);
        json.WriteString("service_cluster", target.Bootstrap.Node.Cluster);
        json.WriteEndObject();
        json.WritePropertyName("node");
        MessageJson.WriteMessage(json, target.Bootstrap.Node);
        json.WriteEndObject();
    });

    public static Task MemoryAsync(HttpContext context) => context.WriteJsonAsync(static json =>
    {
        var heap = GC.GetGCMemoryInfo();
        json.WriteStartObject();
        WriteNumber(json, "allocated", GC.GetTotalMemory(forceFullCollection: false));
        WriteNumber(json, "heap_size", heap.TotalCommittedBytes);
        WriteNumber(json, "pageheap_unmapped", 0);
        WriteNumber(json, "pageheap_free", heap.FragmentedBytes);
        WriteNumber(json, "total_thread_cache", 0);
        WriteNumber(json, "total_physical_bytes", Environment.WorkingSet);
        json.WriteEndObject();
    });

    // 64-bit numbers are strings in protobuf's JSON form.
    private static void WriteNumber(Utf8JsonWriter json, string name, long value) =>
        json.WriteString(name, value.ToString(System.Globalization.CultureInfo.InvariantCulture));
}
