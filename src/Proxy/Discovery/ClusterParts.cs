using Postern.Proxy.Stats;
using Postern.Proxy.Tls;
using Postern.Xds.Config;

namespace Postern.Proxy.Discovery;

/// <summary>What clusters are made with besides their configuration.</summary>
/// <param name="Endpoints">By EDS.</param>
/// <param name="Secrets">Of their TLS.</param>
/// <param name="PolicyTls">For <c>cilium.tls_wrapper</c>.</param>
/// <param name="Stats">Counters live there.</param>
internal sealed record ClusterParts(NamedResources<EndpointsConfig> Endpoints, SecretCache Secrets, IPolicyTls PolicyTls, StatsRegistry Stats);
