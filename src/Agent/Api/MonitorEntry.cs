using System;
using Cilium;

namespace Postern.Agent.Api;

/// <summary>One line of <c>GET /v1/monitor</c>: an access-log entry without its headers.</summary>
/// <param name="Time">UTC.</param>
/// <param name="Type">Request, Response or Denied.</param>
/// <param name="Direction">ingress or egress.</param>
/// <param name="Policy">Address of the endpoint whose policy judged.</param>
/// <param name="Rule">That decided, or empty.</param>
/// <param name="SourceIdentity">Who asks.</param>
/// <param name="Source">ip:port.</param>
/// <param name="DestinationIdentity">0 on ingress.</param>
/// <param name="Destination">ip:port.</param>
/// <param name="Method">HTTP; else empty.</param>
/// <param name="Url">Scheme, host and path; else empty.</param>
/// <param name="Status">0 when there is none.</param>
/// <param name="Protocol">http, kafka, another parser's name, or tcp.</param>
public sealed record MonitorEntry(
    DateTimeOffset Time,
    string Type,
    string Direction,
    string Policy,
    string Rule,
    uint SourceIdentity,
    string Source,
    uint DestinationIdentity,
    string Destination,
    string Method,
    string Url,
    uint Status,
    string Protocol)
{
    /// <summary>From the wire.</summary>
    public static MonitorEntry Of(LogEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return new MonitorEntry(
            DateTimeOffset.UnixEpoch.AddTicks((long)Math.Min(entry.Timestamp / 100, (ulong)(DateTimeOffset.MaxValue - DateTimeOffset.UnixEpoch).Ticks)),
            entry.EntryType.ToString(),
            entry.IsIngress ? "ingress" : "egress",
            entry.PolicyName,
            entry.CiliumRuleRef,
            entry.SourceSecurityId,
            entry.SourceAddress,
            entry.DestinationSecurityId,
            entry.DestinationAddress,
            entry.Http?.Method ?? string.Empty,
            entry.Http is { } http ? $"{http.Scheme}://{http.Host}{http.Path}" : string.Empty,
            entry.Http?.Status ?? 0,
            entry.L7Case switch
            {
                LogEntry.L7OneofCase.Http => "http",
                LogEntry.L7OneofCase.Kafka => "kafka",
                LogEntry.L7OneofCase.GenericL7 => entry.GenericL7.Proto,
                _ => "tcp",
            });
    }
}
