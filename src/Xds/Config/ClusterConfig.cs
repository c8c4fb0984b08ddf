using System;
using System.Net;
using Postern.Policy.Config;

namespace Postern.Xds.Config;

/// <summary><c>envoy.config.cluster.v3.Cluster</c>, the fields Postern honours.</summary>
/// <param name="Name">Unique.</param>
/// <param name="Type">ORIGINAL_DST or STATIC.</param>
/// <param name="ConnectTimeout">Default 5 s.</param>
/// <param name="Endpoints">STATIC: <c>load_assignment</c>'s addresses, in order; empty for ORIGINAL_DST.</param>
public sealed record ClusterConfig(string Name, ClusterType Type, TimeSpan ConnectTimeout, EquatableList<IPEndPoint> Endpoints);

/// <summary><c>Cluster.DiscoveryType</c>.</summary>
public enum ClusterType
{
    /// <summary>Fixed addresses.</summary>
    Static = 0,

    /// <summary>The connection's original destination.</summary>
    OriginalDst = 4,
}
