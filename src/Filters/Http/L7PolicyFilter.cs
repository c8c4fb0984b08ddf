using Postern.Filters.Network;
using Postern.Policy;
using Postern.Records;

namespace Postern.Filters.Http;

/// <summary>
/// <c>cilium.l7policy</c>: the verdict on each HTTP request, and its records. Policy is read anew for every request, so an update applies
/// to the next request on an open connection; the connection-level verdict is taken again too when policy or identities changed, which is stricter
/// than upstream (there a request on an open connection passes after its port or the whole policy went).
/// Record order per request: Request or Denied, then Response (of a gRPC call when it has ended).
/// </summary>
public sealed partial class L7PolicyFilter : IHttpFilter
{
    private readonly LocalReplyText denied;
    private readonly IRecordSink sink;

    /// <summary>Creates it.</summary>
    /// <param name="denied403Body">As configured; empty means "Access denied". CRLF is appended unless it ends with it.</param>
    /// <param name="sink">Takes the records.</param>
    public L7PolicyFilter(string denied403Body, IRecordSink sink)
    {
        denied = new LocalReplyText(denied403Body);
        this.sink = sink;
    }

    /// <inheritdoc/>
    public LocalReply? OnRequestHeaders(HttpExchange exchange)
    {
        if (exchange.Connection is null)
        {
            return new LocalReply(500, "", "no_connection_metadata", RefusalText.Explain(null, default));
        }
        if (exchange.Connection.L7Lb is not null)
        {
            return AdmitBalanced(exchange);
        }
        var (verdict, side) = Judge(exchange);
        var record = exchange.Record;
        record.Direction = side.Direction;
        record.PolicyName = side.PodAddress;
        record.Reason = RecordVerdict.NameOf(verdict.Reason);
        record.RuleName = verdict.RuleName;
        if (verdict.IsAllowed)
        {
            record.Detail = side.Policy.Current.Note;
            Log(exchange, EntryType.Request);
            return null;
        }
        record.Detail = RefusalText.Explain(side, verdict);
        Log(exchange, EntryType.Denied);
        return new LocalReply(403, denied.Body, record.Reason, record.Detail);
    }

    /// <inheritdoc/>
    public void OnResponseHeaders(HttpExchange exchange)
    {
        if (exchange.Reply is { } reply)
        {
            exchange.Record.Reason = reply.Reason;
            exchange.Record.Detail = reply.Detail;
        }
        LogRequestOnce(exchange);
        if (exchange.L7Policy.ResponseLogged)
        {
            return;
        }
        exchange.L7Policy.ResponseLogged = true;
        exchange.L7Policy.ResponseWaits = Waits(exchange);
        if (!exchange.L7Policy.ResponseWaits)
        {
            LogResponse(exchange);
        }
    }

    /// <inheritdoc/>
    public void OnStreamEnd(HttpExchange exchange)
    {
        LogRequestOnce(exchange);
        OnResponseEnd(exchange);
    }

    private void LogResponse(HttpExchange exchange)
    {
        var record = exchange.Record;
        var http = record.Http!;
        record.EntryType = EntryType.Response;
        record.TimestampNanos = exchange.ResponseNanos;
        record.LatencyNanos = exchange.ResponseNanos > exchange.StartNanos ? exchange.ResponseNanos - exchange.StartNanos : 0;
        http.Status = (uint)exchange.Status;
        http.ResponseHeaders = exchange.ResponseHeaders;
        sink.Write(record);
    }

    // The pod's side first: its header actions change what the destination's rules see, as they would two passes later.
    private static (PolicyVerdict Verdict, ConnectionMetadata Side) Judge(HttpExchange exchange)
    {
        var state = exchange.L7Policy;
        var inForce = exchange.Connection!.Policy.Current;
        if (!ReferenceEquals(state.State, inForce))
        {
            exchange.UsePolicy(inForce);
            state.Port = CiliumNetwork.PortOf(exchange.Connection, inForce.Policies);
            state.Network = CiliumNetwork.Judge(exchange.Connection, state.Port);
            LookAtDestination(state, exchange.Connection.DestinationSide, inForce.Policies);
            state.State = inForce;
        }
        var connection = exchange.Connection;
        var verdict = Judge(exchange, connection, state.Port, state.Network);
        if (!state.DestinationJudges || !verdict.IsAllowed)
        {
            return (verdict, connection);
        }
        var side = connection.DestinationSide!;
        var other = Judge(exchange, side, state.DestinationPort, state.DestinationNetwork);
        return other.IsAllowed ? (verdict, connection) : (other, side);
    }

    private static void LookAtDestination(L7PolicyState state, ConnectionMetadata? side, PolicySnapshot policies)
    {
        state.DestinationJudges = side is not null && policies.FindEndpoint(side.PodAddress) is not null;
        if (state.DestinationJudges)
        {
            state.DestinationPort = CiliumNetwork.PortOf(side!, policies);
            state.DestinationNetwork = CiliumNetwork.Judge(side!, state.DestinationPort);
        }
    }

    private static PolicyVerdict Judge(HttpExchange exchange, ConnectionMetadata side, PortPolicy port, PolicyVerdict network) =>
        network.IsAllowed && port.HasHttpRules
            ? port.EvaluateHttp(side.RemoteIdentity, side.ProxyId, exchange.Request, side.Policy.Secrets, exchange.HeaderMatches)
            : network;

    // A reply made before any verdict logs the request first: Denied if it is a 403, else Request.
    private void LogRequestOnce(HttpExchange exchange)
    {
        if (!exchange.L7Policy.RequestLogged)
        {
            Log(exchange, exchange.Status == 403 ? EntryType.Denied : EntryType.Request);
        }
    }

    private void Log(HttpExchange exchange, EntryType type)
    {
        exchange.L7Policy.RequestLogged = true;
        var record = exchange.Record;
        record.EntryType = type;
        record.TimestampNanos = exchange.StartNanos;
        record.Http!.Status = 0;
        record.Http.ResponseHeaders = null;
        record.Http.IsGrpc = GrpcCall.IsGrpc(exchange.Request);
        if (record.Reason.Length == 0)
        {
            record.Reason = "unknown";
        }
        sink.Write(record);
    }
}
