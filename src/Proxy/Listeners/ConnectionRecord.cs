using Postern.Filters;
using Postern.Policy;
using Postern.Proxy.Http;
using Postern.Records;

namespace Postern.Proxy.Listeners;

/// <summary>A record of a whole connection, without an HTTP part.</summary>
internal static class ConnectionRecord
{
    /// <summary>Makes it; without metadata it has neither identities nor addresses.</summary>
    public static VisibilityRecord Of(ConnectionMetadata? metadata, string listener, EntryType type, string reason, string detail, string rule) => new()
    {
        TimestampNanos = Clock.UnixNanos(),
        EntryType = type,
        Direction = metadata?.Direction ?? TrafficDirection.Ingress,
        PolicyName = metadata?.PodAddress ?? "",
        ProxyId = metadata?.ProxyId ?? 0,
        SourceIdentity = metadata?.SourceIdentity ?? 0,
        DestinationIdentity = metadata?.DestinationIdentity ?? 0,
        SourceAddress = metadata?.Source.ToString() ?? "",
        DestinationAddress = metadata?.Destination.ToString() ?? "",
        Listener = listener,
        Sni = metadata?.Sni ?? "",
        Reason = reason,
        Detail = detail,
        RuleName = rule,
    };
}
