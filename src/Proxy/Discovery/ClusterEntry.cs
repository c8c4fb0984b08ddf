using System;
using System.Collections.Generic;
using Postern.Proxy.Upstream;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>A cluster's versions, owned by the <see cref="ClusterSink"/>: the one that serves and the one that warms; at least one is there.</summary>
internal sealed class ClusterEntry
{
    public ClusterVersion? Active { get; set; }

    public ClusterVersion? Warming { get; set; }

    /// <summary>What the source said last.</summary>
    public ClusterVersion Newest => Warming ?? Active ?? throw new InvalidOperationException("a cluster without a version");

    public bool Has(ClusterConfig config) => (Warming ?? Active)?.Config.Equals(config) ?? false;
}
