using System.Net;
using Postern.Policy.Config;

namespace Postern.Xds.Config;

/// <summary>A validated <c>ClusterLoadAssignment</c>.</summary>
/// <param name="Name"><c>cluster_name</c>: the EDS service name.</param>
/// <param name="Endpoints">In order, each address once. May be empty.</param>
public sealed record EndpointsConfig(string Name, EquatableList<LbEndpointConfig> Endpoints);

/// <summary>One endpoint.</summary>
/// <param name="Address">IP and port, or a Unix socket.</param>
/// <param name="Priority">Of its locality; lower first.</param>
/// <param name="Weight"><c>load_balancing_weight</c>, at least 1.</param>
/// <param name="Usable">False when <c>health_status</c> is UNHEALTHY, DRAINING or TIMEOUT.</param>
public sealed record LbEndpointConfig(EndPoint Address, uint Priority, uint Weight, bool Usable);
