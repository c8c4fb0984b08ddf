using System;
using System.Text;
using Postern.Xds;
using Postern.Xds.Config;

namespace Postern.Tests.Xds;

/// <summary>The overload manager of a bootstrap.</summary>
public sealed class OverloadConfigTests
{
    private const string Monitors = """
        refresh_interval: 0.25s
        resource_monitors:
        - { name: heap, typed_config: { "@type": type.googleapis.com/envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig, max_heap_size_bytes: 1000 } }
        - { name: group, typed_config: { "@type": type.googleapis.com/envoy.extensions.resource_monitors.cgroup_memory.v3.CgroupMemoryConfig } }
        - { name: file, typed_config: { "@type": type.googleapis.com/envoy.extensions.resource_monitors.injected_resource.v3.InjectedResourceConfig, filename: /x } }
        - { name: connections, typed_config: { "@type": type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig, max_active_downstream_connections: 9 } }

        """;

    private const string ReduceTimeouts = "envoy.overload_actions.reduce_timeouts, triggers: [{ name: heap, threshold: { value: 1 } }]";
    private const string Scales = "\"@type\": type.googleapis.com/envoy.config.overload.v3.ScaleTimersOverloadActionConfig";

    [Fact]
    public void Manager_IsRead()
    {
        var config = Load(Monitors + """
            actions:
            - { name: envoy.overload_actions.stop_accepting_requests, triggers: [{ name: heap, threshold: { value: 0.9 } }, { name: file, scaled: { scaling_threshold: 0.5, saturation_threshold: 0.75 } }] }
            - { name: envoy.overload_actions.shrink_heap, triggers: [{ name: group, threshold: { value: 0.8 } }] }
            - name: envoy.overload_actions.reduce_timeouts
              triggers: [{ name: connections, scaled: { scaling_threshold: 0.5, saturation_threshold: 1 } }]
              typed_config:
                "@type": type.googleapis.com/envoy.config.overload.v3.ScaleTimersOverloadActionConfig
                timer_scale_factors: [{ timer: HTTP_DOWNSTREAM_CONNECTION_IDLE, min_timeout: 2s }, { timer: HTTP_DOWNSTREAM_STREAM_IDLE, min_scale: { value: 25 } }]
            """);
        Assert.Equal(9, config.MaxDownstreamConnections);
        Assert.Equal(
            new OverloadConfig
            {
                RefreshInterval = TimeSpan.FromMilliseconds(250),
                Monitors =
                [
                    new("heap", ResourceKind.FixedHeap, 1000, ""), new("group", ResourceKind.CgroupMemory, 0, ""),
                    new("file", ResourceKind.Injected, 0, "/x"), new("connections", ResourceKind.DownstreamConnections, 9, ""),
                ],
                Actions =
                [
                    new(OverloadActionKind.StopAcceptingRequests, [new("heap", 0.9, 0.9), new("file", 0.5, 0.75)]),
                    new(OverloadActionKind.ShrinkHeap, [new("group", 0.8, 0.8)]),
                    new(OverloadActionKind.ReduceTimeouts, [new("connections", 0.5, 1)])
                    {
                        Timers = [new(ScaledTimer.ConnectionIdle, TimeSpan.FromSeconds(2), 0), new(ScaledTimer.StreamIdle, null, 0.25)],
                    },
                ],
            },
            config.Overload);
    }

    [Fact]
    public void Silence_IsNoManager() => Assert.Null(Load("").Overload);

    [Theory]
    [InlineData("envoy.overload_actions.stop_accepting_request, triggers: []", "is not built in; did you mean envoy.overload_actions.stop_accepting_requests?")]
    [InlineData("envoy.overload_actions.reset_high_memory_stream, triggers: []", "no stream may hold much memory")]
    [InlineData("envoy.overload_actions.shrink_heap, triggers: []", "actions[0].triggers: an action needs at least one trigger")]
    [InlineData("envoy.overload_actions.shrink_heap, triggers: [{ name: heaq, threshold: {} }]", "triggers[0].name: no resource monitor is named 'heaq'; did you mean 'heap'?")]
    [InlineData("envoy.overload_actions.shrink_heap, triggers: [{ name: heap, threshold: { value: 1.1 } }]", "triggers[0].threshold.value: is not within its range")]
    [InlineData("envoy.overload_actions.shrink_heap, triggers: [{ name: heap, threshold: { value: NaN } }]", "triggers[0].threshold.value: ")]
    [InlineData("envoy.overload_actions.shrink_heap, triggers: [{ name: heap }]", "triggers[0]: needs threshold or scaled")]
    [InlineData("envoy.overload_actions.shrink_heap, triggers: [{ name: heap, scaled: { scaling_threshold: 0.5, saturation_threshold: 0.5 } }]", "scaling_threshold must be less than saturation_threshold")]
    [InlineData("envoy.overload_actions.shrink_heap, triggers: [{ name: heap, threshold: {} }, { name: heap, threshold: {} }]", "triggers[1].name: a second trigger by 'heap'")]
    [InlineData("envoy.overload_actions.shrink_heap, triggers: [{ name: heap, threshold: {} }] }\n- { name: envoy.overload_actions.shrink_heap, triggers: [{ name: heap, threshold: {} }]", "actions[1].name: a second action named")]
    [InlineData(ReduceTimeouts, "typed_config: is missing; reduce_timeouts needs")]
    [InlineData(ReduceTimeouts + ", typed_config: { " + Scales + " }", "timer_scale_factors: needs at least one timer")]
    [InlineData(ReduceTimeouts + ", typed_config: { " + Scales + ", timer_scale_factors: [{ timer: TRANSPORT_SOCKET_CONNECT, min_timeout: 1s }] }", "timer: TransportSocketConnect is not built in")]
    [InlineData(ReduceTimeouts + ", typed_config: { " + Scales + ", timer_scale_factors: [{ timer: HTTP_DOWNSTREAM_STREAM_IDLE, min_scale: { value: 101 } }] }", "min_scale.value: is not within its range")]
    [InlineData(ReduceTimeouts + ", typed_config: { " + Scales + ", timer_scale_factors: [{ timer: HTTP_DOWNSTREAM_STREAM_IDLE }] }", "needs min_timeout or min_scale")]
    [InlineData("envoy.overload_actions.shrink_heap, triggers: [{ name: heap, threshold: {} }], typed_config: { " + Scales + " }", "is not what this action takes")]
    public void BadAction_IsRefusedByName(string action, string expected) => Assert.Contains(expected, Refused(Monitors + "actions:\n- { name: " + action + " }\n"), StringComparison.Ordinal);

    [Theory]
    [InlineData("0.25s", "0.001s", "refresh_interval: must be 10 ms or longer")]
    [InlineData("max_heap_size_bytes: 1000", "max_heap_size_bytes: 0", "resource_monitors[0].typed_config.max_heap_size_bytes: must be above 0")]
    [InlineData("max_heap_size_bytes: 1000", "max_heap_size_bytes_runtime: {}", "max_heap_size_bytes_runtime of ")]
    [InlineData("filename: /x", "filename: ''", "resource_monitors[2].typed_config.filename: must not be empty")]
    [InlineData("name: group", "name: heap", "resource_monitors[1].name: a second monitor named 'heap'")]
    [InlineData("resource_monitors.injected_resource.v3.InjectedResourceConfig", "filters.http.router.v3.Router", "resource_monitors[2].typed_config")]
    public void BadMonitor_IsRefusedByName(string from, string to, string expected)
    {
        var text = Monitors.Replace(from, to, StringComparison.Ordinal);
        Assert.NotEqual(Monitors, text);
        Assert.Contains(expected, Refused(text), StringComparison.Ordinal);
    }

    private static BootstrapConfig Load(string manager) => BootstrapLoader.Load(
        Encoding.UTF8.GetBytes("dynamic_resources: { lds_config: { path: x } }\n" + (manager.Length == 0 ? "" : "overload_manager:\n  " + manager.TrimEnd().Replace("\n", "\n  ", StringComparison.Ordinal) + "\n")), "b.yaml");

    private static string Refused(string manager) => Assert.Throws<XdsConfigException>(() => Load(manager)).Message;
}
