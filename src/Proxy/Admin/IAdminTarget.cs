using System;
using System.Collections.Generic;
using System.Net;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Admin;

/// <summary>What the admin pages read and do. Every reading is an immutable snapshot; nothing here waits for the data path, nor it for this.</summary>
internal interface IAdminTarget
{
    /// <summary>Where the server is in its life.</summary>
    ServerState State { get; }

    /// <summary>One line that <c>/ready</c> adds, like "policy from the state on disk, 40 s old"; empty when there is nothing to say.</summary>
    string StateDetail { get; }

    /// <summary>When the process began to serve.</summary>
    DateTimeOffset Started { get; }

    /// <summary>As loaded.</summary>
    BootstrapConfig Bootstrap { get; }

    /// <summary>Subscriptions to control planes and files.</summary>
    IReadOnlyList<SubscriptionStatus> Subscriptions { get; }

    /// <summary>Every resource that was received, and what became of it.</summary>
    IReadOnlyList<ResourceStatus> Resources { get; }

    /// <summary>Listeners in force and where they are bound.</summary>
    IReadOnlyList<(string Name, IPEndPoint Address)> Listening { get; }

    /// <summary>Clusters in force.</summary>
    IReadOnlyList<ClusterStatus> Clusters { get; }

    /// <summary>Changes the level of all logs: a Microsoft.Extensions.Logging name.</summary>
    void SetLogLevel(Microsoft.Extensions.Logging.LogLevel level);

    /// <summary>Stops accepting on all listeners; open connections finish.</summary>
    void DrainListeners();

    /// <summary>Makes <c>/ready</c> fail, or pass again.</summary>
    void FailHealthCheck(bool failed);

    /// <summary>Ends the process as SIGTERM does.</summary>
    void Quit();
}

/// <summary>Envoy's server states; the numbers are those of <c>ServerInfo.State</c>.</summary>
internal enum ServerState
{
    /// <summary>Serves.</summary>
    Live = 0,

    /// <summary>Asked to stop, or its health check is failed by hand.</summary>
    Draining = 1,

    /// <summary>Waits for clusters.</summary>
    PreInitializing = 2,

    /// <summary>Waits for listeners.</summary>
    Initializing = 3,
}

/// <summary>What became of one resource.</summary>
/// <param name="Type">Kind.</param>
/// <param name="Name">Name.</param>
/// <param name="State">Where it is.</param>
/// <param name="Version">Of what is in <see cref="Source"/>.</param>
/// <param name="Since">When it came into this state.</param>
/// <param name="WaitingFor">Of a warming one, like <c>EDS default/echo</c>.</param>
/// <param name="Error">Of a rejected one: why. An active resource whose newer version was rejected has both.</param>
/// <param name="Source">The resource in force or warming, or null when none was ever good.</param>
/// <param name="FromDisk">In force from the state on disk; no control plane has confirmed it since the start.</param>
internal sealed record ResourceStatus(
    ResourceType Type,
    string Name,
    ResourceState State,
    string Version,
    DateTimeOffset Since,
    IReadOnlyList<string> WaitingFor,
    string Error,
    Any? Source,
    bool FromDisk = false);

/// <summary>States of a resource.</summary>
internal enum ResourceState
{
    /// <summary>Decoded, not yet looked at.</summary>
    Received,

    /// <summary>Good, but waits for others.</summary>
    Warming,

    /// <summary>In force.</summary>
    Active,

    /// <summary>Refused, and nothing of that name is in force.</summary>
    Rejected,
}

/// <summary>A cluster in force.</summary>
/// <param name="Config">Its configuration.</param>
/// <param name="Endpoints">Where it connects now, with weight, priority and usability.</param>
/// <param name="FromDiscovery">False for static ones.</param>
internal sealed record ClusterStatus(ClusterConfig Config, IReadOnlyList<LbEndpointConfig> Endpoints, bool FromDiscovery);
