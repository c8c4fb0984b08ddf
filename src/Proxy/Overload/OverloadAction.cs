using System;
using Postern.Xds.Config;

namespace Postern.Proxy.Overload;

/// <summary>An action, and how much of it is taken now.</summary>
internal sealed class OverloadAction(OverloadActionConfig config, Func<string, WatchedResource?> resources)
{
    public OverloadActionConfig Config { get; } = config;

    /// <summary>Envoy's name.</summary>
    public string Name { get; } = NameOf(config.Kind);

    /// <summary>0 to 1.</summary>
    public double Part { get; private set; }

    /// <summary>The resource that asks for most of it; null when none asks.</summary>
    public WatchedResource? Cause { get; private set; }

    /// <summary>Reads the resources. True when it went from nothing to something or back.</summary>
    public bool Refresh()
    {
        var before = Part > 0;
        Part = 0;
        Cause = null;
        foreach (var trigger in Config.Triggers)
        {
            if (resources(trigger.Monitor) is { } resource && resource.AskedBy(trigger) is var part && part > Part)
            {
                Part = part;
                Cause = resource;
            }
        }
        return before != Part > 0;
    }

    private static string NameOf(OverloadActionKind kind) => "envoy.overload_actions." + kind switch
    {
        OverloadActionKind.StopAcceptingRequests => "stop_accepting_requests",
        OverloadActionKind.DisableHttpKeepalive => "disable_http_keepalive",
        OverloadActionKind.StopAcceptingConnections => "stop_accepting_connections",
        OverloadActionKind.RejectIncomingConnections => "reject_incoming_connections",
        OverloadActionKind.ShrinkHeap => "shrink_heap",
        _ => "reduce_timeouts",
    };
}
