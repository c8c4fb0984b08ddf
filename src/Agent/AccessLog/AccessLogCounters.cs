using System.Collections.Generic;

namespace Postern.Agent.AccessLog;

/// <summary>A reading of what came in since the start.</summary>
/// <param name="Connections">Open now.</param>
/// <param name="Entries">Good entries.</param>
/// <param name="TooLong">Packets discarded for their length.</param>
/// <param name="Malformed">Packets that are no valid entry.</param>
/// <param name="ConnectionsRefused">Closed at once for their number.</param>
/// <param name="ByPolicy">By <c>policy_name</c>: the endpoint, as the proxy names it.</param>
public sealed record AccessLogCounters(
    int Connections,
    long Entries,
    long TooLong,
    long Malformed,
    long ConnectionsRefused,
    IReadOnlyDictionary<string, PolicyCounters> ByPolicy);

/// <summary>Entries of one policy name.</summary>
/// <param name="Requests">Entries of type Request: let through.</param>
/// <param name="Responses">Entries of type Response.</param>
/// <param name="Denied">Entries of type Denied.</param>
public readonly record struct PolicyCounters(long Requests, long Responses, long Denied);
