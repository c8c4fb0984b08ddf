using System;
using System.Collections.Generic;
using Postern.Policy;

namespace Postern.Records;

/// <summary>
/// One visibility record: what happened, between whom, and why. One model for every protocol; sinks map it to <c>cilium.LogEntry</c>, JSON, and so on.
/// Owned by the connection that fills it and reused for its next event: a sink must serialise before <see cref="IRecordSink.Write"/> returns.
/// </summary>
public sealed class VisibilityRecord
{
    /// <summary>Nanoseconds since the Unix epoch: stream start for requests, the time of the headers for responses.</summary>
    public ulong TimestampNanos { get; set; }

    /// <summary>Request, Response or Denied.</summary>
    public EntryType EntryType { get; set; }

    /// <summary>Which side of the pod.</summary>
    public TrafficDirection Direction { get; set; }

    /// <summary>The key the policy was found by: the pod's address.</summary>
    public string PolicyName { get; set; } = "";

    /// <summary>The listener's proxy_id.</summary>
    public uint ProxyId { get; set; }

    /// <summary>Identity of the source.</summary>
    public uint SourceIdentity { get; set; }

    /// <summary>Identity of the destination; 0 on ingress, as upstream.</summary>
    public uint DestinationIdentity { get; set; }

    /// <summary>"a.b.c.d:port" or "[v6]:port".</summary>
    public string SourceAddress { get; set; } = "";

    /// <summary>The original destination, same form.</summary>
    public string DestinationAddress { get; set; } = "";

    /// <summary>Listener that accepted the connection.</summary>
    public string Listener { get; set; } = "";

    /// <summary>Server name of the TLS hello, or empty.</summary>
    public string Sni { get; set; } = "";

    /// <summary>Why: <c>allowed</c>, a policy reason, or an error code of the proxy (snake case). Never empty.</summary>
    public string Reason { get; set; } = "";

    /// <summary>Text for people: names the likely cause and the knob. Empty when there is nothing to explain.</summary>
    public string Detail { get; set; } = "";

    /// <summary>The rule that decided, or empty.</summary>
    public string RuleName { get; set; } = "";

    /// <summary>Nanoseconds from the request's start to its response headers; 0 when not a response.</summary>
    public ulong LatencyNanos { get; set; }

    /// <summary>The HTTP part, or null for a connection-level record.</summary>
    public HttpRecord? Http { get; set; }
}

/// <summary>The HTTP part of a record (<c>cilium.HttpLogEntry</c>).</summary>
public sealed class HttpRecord
{
    /// <summary>Version.</summary>
    public HttpProtocol Protocol { get; set; }

    /// <summary>http or https.</summary>
    public string Scheme { get; set; } = "";

    /// <summary>The request in force (after header actions): method, path with query, authority and request headers come from here.</summary>
    public IHttpPolicyRequest? Request { get; set; }

    /// <summary>Response headers; null in request entries.</summary>
    public IHttpHeaders? ResponseHeaders { get; set; }

    /// <summary>Trailers of the response, for <c>grpc-status</c> and <c>grpc-message</c>; null where they are not known (yet).</summary>
    public IHttpHeaders? ResponseTrailers { get; set; }

    /// <summary>The request is a gRPC call: its path is <c>/package.Service/Method</c>.</summary>
    public bool IsGrpc { get; set; }

    /// <summary>How the call ended; null in request entries, and where nobody said.</summary>
    public int? GrpcStatus { get; set; }

    /// <summary>0 in request entries.</summary>
    public uint Status { get; set; }

    /// <summary>Missing and rejected headers, as header_matches noted them.</summary>
    public HeaderMatchLog? HeaderMatches { get; set; }
}
