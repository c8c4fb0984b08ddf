using System.Collections.Generic;
using System.Net;

namespace Postern.Agent.Model;

/// <summary>A Kubernetes Service, as much as EDS needs.</summary>
/// <param name="Key">Kind and name.</param>
/// <param name="Source">Where it stands.</param>
/// <param name="Selector">Labels of its backends, without sources; empty has none.</param>
/// <param name="Ports">TCP and other ports.</param>
/// <param name="ClusterIp">Or null.</param>
public sealed record ServiceObject(
    ObjectKey Key,
    ObjectSource Source,
    IReadOnlyDictionary<string, string> Selector,
    IReadOnlyList<ServicePort> Ports,
    IPAddress? ClusterIp) : NodeObject(Key, Source);

/// <summary>One port of a Service.</summary>
/// <param name="Name">May be empty when it is the only one.</param>
/// <param name="Port">The service's.</param>
/// <param name="TargetPort">The backend's.</param>
/// <param name="Protocol"><c>TCP</c>, <c>UDP</c> or <c>SCTP</c>.</param>
public sealed record ServicePort(string Name, ushort Port, ushort TargetPort, string Protocol);
