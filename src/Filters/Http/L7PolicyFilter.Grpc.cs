using Postern.Records;

namespace Postern.Filters.Http;

/// <summary>Records of gRPC calls: their status stands behind the messages, so their Response waits for the answer's end.</summary>
public sealed partial class L7PolicyFilter
{
    private const string NoStatus = "grpc_status_missing";

    /// <inheritdoc/>
    public void OnResponseEnd(HttpExchange exchange)
    {
        if (!exchange.L7Policy.ResponseWaits)
        {
            return;
        }
        exchange.L7Policy.ResponseWaits = false;
        var record = exchange.Record;
        record.Http!.ResponseTrailers = exchange.ResponseTrailers;
        record.Http.GrpcStatus = GrpcCall.StatusIn(exchange.ResponseTrailers);
        if (record.Http.GrpcStatus is null)
        {
            record.Reason = NoStatus;
            record.Detail = exchange.BodyError is { Length: > 0 } error ? $"the answer broke off before its grpc-status: {error}" : "the answer ended without grpc-status in its trailers";
        }
        LogResponse(exchange);
    }

    // True: the answer is one of gRPC, and its head does not say how the call ended.
    private static bool Waits(HttpExchange exchange)
    {
        var http = exchange.Record.Http!;
        if (!http.IsGrpc || exchange.Reply is not null || exchange.ResponseHeaders is not { } headers)
        {
            http.GrpcStatus = http.IsGrpc ? GrpcCall.StatusIn(exchange.ResponseHeaders) : null;
            return false;
        }
        http.GrpcStatus = GrpcCall.StatusIn(headers);
        return http.GrpcStatus is null && GrpcCall.IsGrpc(headers);
    }
}
