using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Net;
using Microsoft.Extensions.Logging;
using Postern.Proxy.Admin;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Tests.Proxy.Admin;

/// <summary>A proxy whose state a test writes down; it remembers what it was told to do.</summary>
internal sealed class FakeTarget : IAdminTarget
{
    public static readonly DateTimeOffset Epoch = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public ServerState State { get; set; } = ServerState.Live;

    public string StateDetail { get; set; } = "";

    public DateTimeOffset Started { get; set; } = Epoch;

    public BootstrapConfig Bootstrap { get; set; } = new()
    {
        Node = new Envoy.Config.Core.V3.Node { Id = "host~10.0.0.1~no-id~localdomain", Cluster = "ingress-cluster" },
        StaticListeners = [],
        StaticClusters = [],
    };

    public IReadOnlyList<SubscriptionStatus> Subscriptions { get; set; } = [];

    public IReadOnlyList<ResourceStatus> Resources { get; set; } = [];

    public IReadOnlyList<(string Name, IPEndPoint Address)> Listening { get; set; } = [];

    public IReadOnlyList<ClusterStatus> Clusters { get; set; } = [];

    /// <summary>What was done, in order.</summary>
    public ConcurrentQueue<string> Done { get; } = new();

    public void SetLogLevel(LogLevel level) => Done.Enqueue("level " + level);

    public void DrainListeners() => Done.Enqueue("drain");

    public void FailHealthCheck(bool failed) => Done.Enqueue(failed ? "fail" : "ok");

    public void Quit() => Done.Enqueue("quit");
}
