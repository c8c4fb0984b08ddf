using Postern.Filters.Network.Bytes;
using Postern.Policy;
using Postern.Records;

namespace Postern.Filters.Network.WebSocket;

/// <summary>The records of a handshake: those of an HTTP request, Request or Denied and then Response.</summary>
internal sealed class HandshakeRecords(ByteFilterContext context, IRecordSink sink)
{
    private readonly VisibilityRecord record = new()
    {
        Direction = context.Metadata?.Direction ?? TrafficDirection.Ingress,
        PolicyName = context.Metadata?.PodAddress ?? "",
        ProxyId = context.Metadata?.ProxyId ?? 0,
        SourceIdentity = context.Metadata?.SourceIdentity ?? 0,
        DestinationIdentity = context.Metadata?.DestinationIdentity ?? 0,
        SourceAddress = context.Source.ToString(),
        Listener = context.Listener,
        Sni = context.Metadata?.Sni ?? "",
        Http = new HttpRecord { Protocol = HttpProtocol.Http11, Scheme = "http" },
    };

    private ulong began;

    /// <summary>A handshake was sent or received.</summary>
    public void Request(HandshakeHead head, EntryType type, string reason, string detail)
    {
        began = record.TimestampNanos = context.UnixNanos();
        record.DestinationAddress = context.Destination.ToString();
        record.EntryType = type;
        record.Reason = reason;
        record.Detail = detail;
        record.Http!.Request = head;
        sink.Write(record);
    }

    /// <summary>And its answer.</summary>
    public void Response(IHttpHeaders headers, int status, string reason, string detail)
    {
        record.TimestampNanos = context.UnixNanos();
        record.LatencyNanos = record.TimestampNanos > began ? record.TimestampNanos - began : 0;
        record.EntryType = EntryType.Response;
        record.Reason = reason;
        record.Detail = detail;
        record.Http!.ResponseHeaders = headers;
        record.Http.Status = (uint)status;
        sink.Write(record);
    }
}
