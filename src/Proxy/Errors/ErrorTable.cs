using System;
using Postern.Policy;
using Postern.Records;

namespace Postern.Proxy.Errors;

/// <summary>
/// The one table from an error to what each audience gets: HTTP status and body for the client, gRPC status, Envoy's response flag,
/// and the label that records and metrics share.
/// </summary>
internal static class ErrorTable
{
    private const int GrpcUnavailable = 14;
    private const int GrpcDeadlineExceeded = 4;
    private const int GrpcInternal = 13;
    private const int GrpcUnimplemented = 12;
    private const int GrpcPermissionDenied = 7;

    private static readonly Entry[] Entries = Build();

    public static Entry Of(ErrorCode code) => Entries[(int)code];

    /// <summary>The row with that label, or null.</summary>
    public static Entry? TryFind(string label)
    {
        foreach (var entry in Entries)
        {
            if (entry.Label == label)
            {
                return entry;
            }
        }
        return null;
    }

    private static Entry[] Build()
    {
        var entries = new Entry[Enum.GetValues<ErrorCode>().Length];
        void Add(ErrorCode code, ErrorSide side, RetryClass retry, int status, int grpc, string flag, string label, string body) =>
            entries[(int)code] = new Entry(side, retry, status, grpc, flag, label, body);

        Add(ErrorCode.None, ErrorSide.Internal, RetryClass.No, 200, 0, "-", "none", "");
        Add(ErrorCode.UpstreamConnectRefused, ErrorSide.Upstream, RetryClass.Safe, 503, GrpcUnavailable, "UF", "upstream_connect_refused", "upstream connect error: connection refused\r\n");
        Add(ErrorCode.UpstreamConnectTimeout, ErrorSide.Upstream, RetryClass.Safe, 503, GrpcUnavailable, "UF", "upstream_connect_timeout", "upstream connect error: connection timeout\r\n");
        Add(ErrorCode.UpstreamUnreachable, ErrorSide.Upstream, RetryClass.Safe, 503, GrpcUnavailable, "UF", "upstream_unreachable", "upstream connect error: unreachable\r\n");
        Add(ErrorCode.UpstreamSocket, ErrorSide.Internal, RetryClass.Safe, 503, GrpcUnavailable, "UF", "upstream_socket", "upstream connect error: local failure\r\n");
        Add(ErrorCode.UpstreamReset, ErrorSide.Upstream, RetryClass.ReusedOnly, 503, GrpcUnavailable, "UC", "upstream_reset", "upstream connect error or disconnect before headers\r\n");
        Add(ErrorCode.UpstreamProtocol, ErrorSide.Upstream, RetryClass.No, 502, GrpcUnavailable, "UPE", "upstream_protocol_error", "upstream protocol error\r\n");
        Add(ErrorCode.UpstreamLoop, ErrorSide.Internal, RetryClass.No, 503, GrpcUnavailable, "UF", "upstream_loop", "upstream connect error: loop\r\n");
        Add(ErrorCode.UpstreamTls, ErrorSide.Upstream, RetryClass.Safe, 503, GrpcUnavailable, "UF", "upstream_tls_failed", "upstream connect error: TLS failure\r\n");
        Add(ErrorCode.TlsContextRequired, ErrorSide.Internal, RetryClass.No, 403, GrpcPermissionDenied, "UAEX", RecordVerdict.NameOf(PolicyReason.TlsContextRequired), "Access denied\r\n");
        Add(ErrorCode.ResponseTimeout, ErrorSide.Upstream, RetryClass.No, 504, GrpcDeadlineExceeded, "UT", "response_timeout", "upstream request timeout\r\n");
        Add(ErrorCode.StreamIdleTimeout, ErrorSide.Upstream, RetryClass.No, 504, GrpcDeadlineExceeded, "SI", "stream_idle_timeout", "stream timeout\r\n");
        Add(ErrorCode.NoRoute, ErrorSide.Internal, RetryClass.No, 404, GrpcUnimplemented, "NR", "route_not_found", "");
        Add(ErrorCode.NoCluster, ErrorSide.Internal, RetryClass.No, 503, GrpcUnavailable, "NC", "cluster_not_found", "");
        Add(ErrorCode.NoHealthyEndpoint, ErrorSide.Internal, RetryClass.No, 503, GrpcUnavailable, "UH", "no_healthy_upstream", "no healthy upstream\r\n");
        Add(ErrorCode.UpgradeNotConfigured, ErrorSide.Downstream, RetryClass.No, 403, GrpcPermissionDenied, "UAEX", "upgrade_failed", "");
        Add(ErrorCode.RequestBodyMalformed, ErrorSide.Downstream, RetryClass.No, 400, GrpcInternal, "DPE", "request_body_malformed", "Bad Request\r\n");
        Add(ErrorCode.PathRefused, ErrorSide.Downstream, RetryClass.No, 400, GrpcInternal, "-", "path_normalization_failed", "Bad Request\r\n");
        Add(ErrorCode.UnderscoreInHeader, ErrorSide.Downstream, RetryClass.No, 400, GrpcInternal, "DPE", "unexpected_underscore", "Bad Request\r\n");
        Add(ErrorCode.DownstreamReset, ErrorSide.Downstream, RetryClass.No, 499, GrpcInternal, "DC", "downstream_reset", "");
        Add(ErrorCode.PolicyChanged, ErrorSide.Downstream, RetryClass.No, 403, GrpcPermissionDenied, "UAEX", RecordVerdict.PolicyChangedReason, "");
        Add(ErrorCode.RequestHeadTimeout, ErrorSide.Downstream, RetryClass.No, 408, GrpcDeadlineExceeded, "DT", "request_headers_timeout", "Request Timeout\r\n");
        Add(ErrorCode.RequestTimeout, ErrorSide.Downstream, RetryClass.No, 408, GrpcDeadlineExceeded, "DT", "request_overall_timeout", "request timeout\r\n");
        Add(ErrorCode.MaxStreamDuration, ErrorSide.Upstream, RetryClass.No, 408, GrpcDeadlineExceeded, "DT", "max_duration_timeout", "request took too long\r\n");
        Add(ErrorCode.Overloaded, ErrorSide.Internal, RetryClass.Safe, 503, GrpcUnavailable, "OM", "overload", "proxy overloaded\r\n");
        Add(ErrorCode.UpstreamOverflow, ErrorSide.Internal, RetryClass.Safe, 503, GrpcUnavailable, "UO", "overflow", "upstream overloaded\r\n");
        Add(ErrorCode.RequestHeadTruncated, ErrorSide.Downstream, RetryClass.No, 400, GrpcInternal, "DPE", "request_head_truncated", "Bad Request\r\n");
        Add(ErrorCode.Internal, ErrorSide.Internal, RetryClass.No, 500, GrpcInternal, "-", "internal_error", "");
        foreach (var entry in entries)
        {
            ArgumentNullException.ThrowIfNull(entry); // a code without a row is a bug that must not reach production
        }
        return entries;
    }

    /// <summary>One row.</summary>
    /// <param name="Side">Whose fault.</param>
    /// <param name="Retry">May the request be sent again.</param>
    /// <param name="Status">HTTP status of the local reply.</param>
    /// <param name="GrpcStatus">grpc-status of the same.</param>
    /// <param name="Flag">Envoy's response flag.</param>
    /// <param name="Label">For records and metrics.</param>
    /// <param name="Body">Text for the client; says nothing about the inside.</param>
    internal sealed record Entry(ErrorSide Side, RetryClass Retry, int Status, int GrpcStatus, string Flag, string Label, string Body);
}
