using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Nodes;
using Postern.Policy;
using Postern.Records;

namespace Postern.Proxy.PolicyTest;

/// <summary>
/// Judges one request of a vector on both levels. The levels are independent questions: the HTTP level is asked whenever the port enforces
/// HTTP rules and the vector describes an HTTP request (any of method, path, authority, scheme, headers), also when the network level has
/// refused already; on a live connection the request would then never be read. It is null otherwise.
/// </summary>
internal static class RequestCheck
{
    private static readonly string[] HttpFields = ["method", "path", "authority", "scheme", "headers"];

    public static void Run(JsonElement request, JsonElement? context, PolicySnapshot snapshot, CaseSecrets secrets, CaseReport report, int index, string kind)
    {
        var direction = Direction(request, context);
        var address = CaseJson.Text(request, "local_ip") ?? throw new CaseFormatException("'local_ip' is missing: the address of the endpoint");
        var remote = CaseJson.Number(request, "remote_identity") ?? throw new CaseFormatException("'remote_identity' is missing");
        var number = (ushort)(CaseJson.Number(request, "port", ushort.MaxValue) ?? throw new CaseFormatException("'port' is missing"));
        var proxyId = CaseJson.Number(request, "proxy_id") ?? (context is { } c ? CaseJson.Number(c, "proxy_id") : null) ?? 0;
        var sni = CaseJson.Text(request, "sni") ?? (context is { } d ? CaseJson.Text(d, "connection_sni") : null) ?? "";
        var endpoint = snapshot.FindEndpoint(address);
        var port = endpoint?.FindPort(direction, number) ?? PortPolicy.NoPolicy;

        var network = port.EvaluateNetwork(remote, sni, proxyId);
        PolicyVerdict? http = null;
        var log = new HeaderMatchLog();
        var offline = Offline(request);
        if (port.HasHttpRules && !port.IsAbsent && offline is not null)
        {
            http = port.EvaluateHttp(remote, proxyId, offline, secrets, log);
        }
        var allowed = network.IsAllowed && http is null or { IsAllowed: true };

        var failures = new List<string>();
        var expected = CaseJson.Text(request, "expect");
        if (expected is not (null or "allow" or "deny"))
        {
            throw new CaseFormatException($"'expect' must be allow or deny, not '{expected}'");
        }
        // A handshake that fails denies, too, and only a live connection has one.
        var open = kind == "websocket" && expected == "deny" && allowed;
        if (!open && expected is not null && expected != (allowed ? "allow" : "deny"))
        {
            failures.Add($"expect: expected {expected}");
        }
        CheckHeaders(request, offline, log, failures);
        CheckTls(request, port, remote, sni, proxyId, failures);
        CheckParser(request, port, remote, proxyId, failures);

        var line = new JsonObject
        {
            ["case"] = report.Case,
            ["request"] = index,
            ["network"] = Word(network),
            ["http"] = http is null ? null : Word(http.Value),
            ["verdict"] = allowed ? "allow" : "deny",
            ["expected"] = expected,
            ["ok"] = (expected is null || open) && failures.Count == 0 ? null : failures.Count == 0,
        };
        if (open)
        {
            line["open"] = "policy allows it; what denies it, a WebSocket handshake, needs a live connection";
            report.LeaveOpen();
        }
        if (kind is "tls_http" or "tls_tcp")
        {
            line["downstream_tls"] = Outcome(port, TlsSide.Downstream, remote, sni, proxyId);
            line["upstream_tls"] = Outcome(port, TlsSide.Upstream, remote, sni, proxyId);
        }
        if (expected is null || failures.Count > 0)
        {
            var deciding = network.IsAllowed && http is not null ? http.Value : network;
            line["reason"] = RecordVerdict.NameOf(deciding.Reason);
            line["rule"] = deciding.RuleName;
            line["detail"] = VerdictText.Explain(deciding, direction, address, number, remote, sni, proxyId, endpoint is not null && port.IsAbsent);
        }
        report.Write(line, failures);
    }

    private static TrafficDirection Direction(JsonElement request, JsonElement? context) => CaseJson.Text(request, "direction") switch
    {
        "ingress" => TrafficDirection.Ingress,
        "egress" => TrafficDirection.Egress,
        null => (context is { } c ? CaseJson.Flag(c, "is_ingress") : null) switch
        {
            true => TrafficDirection.Ingress,
            false => TrafficDirection.Egress,
            null => throw new CaseFormatException("'direction' is missing: ingress or egress"),
        },
        var other => throw new CaseFormatException($"'direction' must be ingress or egress, not '{other}'"),
    };

    private static OfflineRequest? Offline(JsonElement request)
    {
        if (!HttpFields.Any(field => CaseJson.Field(request, field) is not null))
        {
            return null;
        }
        string Get(string name) => CaseJson.Wire(CaseJson.Text(request, name) ?? "");
        var headers = CaseJson.Field(request, "headers") is { } list ? CaseJson.Pairs(list, "headers") : [];
        return new OfflineRequest(Get("method"), Get("path"), Get("authority"), Get("scheme"), headers);
    }

    private static string Word(PolicyVerdict verdict) => verdict.IsAllowed ? "ALLOW" : "DENY";

    private static void CheckHeaders(JsonElement request, OfflineRequest? offline, HeaderMatchLog log, List<string> failures)
    {
        var derived = CaseJson.Field(request, "derived_log_headers");
        ComparePairs("expect_missing", CaseJson.Field(request, "expect_missing"), log.Missing, failures);
        ComparePairs("expect_rejected", CaseJson.Field(request, "expect_rejected"), log.Rejected, failures);
        ComparePairs("derived_log_headers.missing", derived is { } m ? CaseJson.Field(m, "missing") : null, log.Missing, failures);
        ComparePairs("derived_log_headers.rejected", derived is { } r ? CaseJson.Field(r, "rejected") : null, log.Rejected, failures);
        foreach (var field in new[] { "expect_headers_after", "derived_headers_after_policy" })
        {
            ComparePairs(field, CaseJson.Field(request, field), offline?.Headers ?? [], failures);
        }
        foreach (var entry in CaseJson.Items(request, "expect_access_log").Take(1))
        {
            CompareCount("missing_headers_count", entry, log.Missing.Count, failures);
            CompareCount("rejected_headers_count", entry, log.Rejected.Count, failures);
        }
    }

    private static void CompareCount(string field, JsonElement entry, int actual, List<string> failures)
    {
        if (CaseJson.Number(entry, field) is { } wanted && wanted != actual)
        {
            failures.Add($"expect_access_log.{field}: expected {wanted}, got {actual}");
        }
    }

    private static void ComparePairs(string field, JsonElement? expected, IReadOnlyList<KeyValuePair<string, string>> actual, List<string> failures)
    {
        if (expected is null)
        {
            return;
        }
        var wanted = Describe(CaseJson.Pairs(expected.Value, field));
        var got = Describe(actual);
        if (wanted != got)
        {
            failures.Add($"{field}: expected [{wanted}], got [{got}]");
        }
    }

    private static string Describe(IEnumerable<KeyValuePair<string, string>> pairs) =>
        string.Join(", ", pairs.Select(pair => $"{pair.Key.ToLowerInvariant()}: {pair.Value}").Order(StringComparer.Ordinal));

    private static string Outcome(PortPolicy port, TlsSide side, uint remote, string sni, uint proxyId) =>
        port.FindTlsContext(side, remote, sni, proxyId).Outcome.ToString().ToLowerInvariant();

    private static void CheckTls(JsonElement request, PortPolicy port, uint remote, string sni, uint proxyId, List<string> failures)
    {
        CheckOutcome("expect_downstream_tls", request, port, TlsSide.Downstream, remote, sni, proxyId, failures);
        CheckOutcome("expect_upstream_tls", request, port, TlsSide.Upstream, remote, sni, proxyId, failures);
        var required = CaseJson.Flag(request, "expect_tls_context_required");
        var raw = CaseJson.Flag(request, "expect_raw_socket_allowed");
        if (required is null && raw is null)
        {
            return;
        }
        var side = CaseJson.Text(request, "tls_side") switch
        {
            "client" or "upstream" => TlsSide.Upstream,
            "server" or "downstream" => TlsSide.Downstream,
            var other => throw new CaseFormatException($"'tls_side' must be client or server, not '{other}'"),
        };
        var outcome = port.FindTlsContext(side, remote, sni, proxyId).Outcome;
        if (required is not null && required != (outcome == TlsContextOutcome.Context))
        {
            failures.Add($"expect_tls_context_required: expected {required}, search gave {outcome}");
        }
        if (raw is not null && raw != (outcome == TlsContextOutcome.Raw))
        {
            failures.Add($"expect_raw_socket_allowed: expected {raw}, search gave {outcome}");
        }
    }

    private static void CheckOutcome(string field, JsonElement request, PortPolicy port, TlsSide side, uint remote, string sni, uint proxyId, List<string> failures)
    {
        if (CaseJson.Text(request, field) is { } wanted && wanted != Outcome(port, side, remote, sni, proxyId))
        {
            failures.Add($"{field}: expected {wanted} (context, raw or denied), got {Outcome(port, side, remote, sni, proxyId)}");
        }
    }

    private static void CheckParser(JsonElement request, PortPolicy port, uint remote, uint proxyId, List<string> failures)
    {
        var parser = port.FindProxylibParser(remote, proxyId);
        if (CaseJson.Flag(request, "expect_use_proxylib") is { } use && use != parser is not null)
        {
            failures.Add($"expect_use_proxylib: expected {use}, parser is {parser ?? "none"}");
        }
        if (CaseJson.Text(request, "expect_l7_proto") is { } proto && proto != (parser ?? ""))
        {
            failures.Add($"expect_l7_proto: expected '{proto}', got '{parser}'");
        }
    }
}
