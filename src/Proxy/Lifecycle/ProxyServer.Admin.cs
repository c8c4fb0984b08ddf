using System;
using System.Collections.Generic;
using System.Net;
using Microsoft.Extensions.Logging;
using Postern.Proxy.Admin;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Lifecycle;

/// <summary>What the admin pages see of the server.</summary>
internal sealed partial class ProxyServer : IAdminTarget
{
    private volatile bool stopping;
    private volatile bool healthCheckFailed;

    /// <inheritdoc/>
    public ServerState State => stopping || healthCheckFailed ? ServerState.Draining : resources.State;

    /// <inheritdoc/>
    public string StateDetail => lastGood?.Detail is { Length: > 0 } restored ? restored : State == ServerState.Live ? "" : WaitingFor();

    /// <inheritdoc/>
    public DateTimeOffset Started { get; } = DateTimeOffset.UtcNow;

    /// <inheritdoc/>
    public BootstrapConfig Bootstrap { get; }

    /// <inheritdoc/>
    public IReadOnlyList<SubscriptionStatus> Subscriptions => discovery.ReadStatus();

    /// <inheritdoc/>
    public IReadOnlyList<ResourceStatus> Resources => resources.ReadStatus();

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, IPEndPoint Address)> Listening => listeners.Listening;

    /// <inheritdoc/>
    public IReadOnlyList<ClusterStatus> Clusters => resources.ReadClusters();

    /// <inheritdoc/>
    public void SetLogLevel(LogLevel level) => actions.SetLogLevel(level);

    /// <inheritdoc/>
    public void DrainListeners() => listeners.DrainAll();

    /// <inheritdoc/>
    public void FailHealthCheck(bool failed) => healthCheckFailed = failed;

    /// <inheritdoc/>
    public void Quit() => actions.Quit();

    private string WaitingFor()
    {
        foreach (var subscription in discovery.ReadStatus())
        {
            if (subscription.State != "live")
            {
                var error = subscription.LastStreamError.Length > 0 ? ": " + subscription.LastStreamError : "";
                return $"waits for {subscription.Type} from {subscription.Source}{error}";
            }
        }
        return "";
    }
}
