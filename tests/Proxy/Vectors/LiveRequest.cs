using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;
using Postern.Proxy.Http;
using Postern.Tests.Proxy.InMemory;

namespace Postern.Tests.Proxy.Vectors;

/// <summary>One request of a vector (kinds http and http_l7lb) through the engine to a real server, and everything the vector says of it.</summary>
internal sealed class LiveRequest(HttpEngineFixture fixture, JsonElement @case, JsonElement request, IPAddress address)
{
    private readonly List<string> failures = [];
    private readonly List<SeenEntry> entries = [];
    private readonly JsonElement context = @case.GetProperty("context");

    public async Task<IReadOnlyList<string>> RunAsync()
    {
        var port = request.GetProperty("port").GetInt32();
        // Tests upstream run once per family, with the same policy under the family's loopback.
        var resources = JsonDocument.Parse(@case.GetProperty("policy").GetRawText().Replace("\"127.0.0.1\"", $"\"{address}\"", StringComparison.Ordinal)).RootElement;
        var policy = new TestPolicy { Generic = VectorPolicy.Secrets(context) };
        policy.Use(VectorPolicy.State(resources, context.GetProperty("host_map").EnumerateArray(), request.GetProperty("remote_identity").GetUInt32()));
        var options = new HttpTestOptions
        {
            Given = policy,
            Metadata = given => VectorPolicy.Resolve(given, context, new IPEndPoint(address, 41234), new IPEndPoint(address, port)),
            RequestIds = new RequestIds { Generates = true },
            OnRecord = record => entries.Add(new SeenEntry(record)),
        };
        using var conversation = new Conversation(fixture, options);
        conversation.ClientSends(Encoding.Latin1.GetBytes(Head()));
        var status = request.GetProperty("expect_response_status").GetInt32();
        if (status == 200)
        {
            await conversation.Until(() => conversation.Upstream.Text.Contains("\r\n\r\n", StringComparison.Ordinal), "the request to reach the upstream");
            CompareUpstream(conversation.Upstream.Text);
            await conversation.UpstreamSends("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
        }
        await conversation.Until(() => conversation.Client.Text.Contains("\r\n\r\n", StringComparison.Ordinal) && entries.Count >= 2, "the answer and two records");
        Equal("status", $"HTTP/1.1 {status}", conversation.Client.Text.Split(' ')[0] + " " + conversation.Client.Text.Split(' ')[1]);
        if (status != 200)
        {
            Equal("upstream received", "", conversation.Upstream.Text);
            Equal("body", "Access denied\r\n", conversation.Client.Text[(conversation.Client.Text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
        }
        CompareSequence();
        CompareEntries();
        return failures;
    }

    private IEnumerable<KeyValuePair<string, string>> Sent => Pairs(request.GetProperty("headers"));

    private string Head()
    {
        var head = new StringBuilder($"{request.GetProperty("method").GetString()} {request.GetProperty("path").GetString()} HTTP/1.1\r\nHost: {request.GetProperty("authority").GetString()}\r\n");
        foreach (var (name, value) in Sent)
        {
            head.Append(name).Append(": ").Append(value).Append("\r\n");
        }
        return head.Append("\r\n").ToString();
    }

    private void CompareUpstream(string text)
    {
        var lines = text[..text.IndexOf("\r\n\r\n", StringComparison.Ordinal)].Split("\r\n");
        Equal("request line", $"{request.GetProperty("method").GetString()} {request.GetProperty("path").GetString()} HTTP/1.1", lines[0]);
        var got = lines[1..].Select(line => line.Split(": ", 2)).Select(parts => KeyValuePair.Create(parts[0], parts[1])).ToList();
        Equal("host", request.GetProperty("authority").GetString()!, got.Single(pair => pair.Key == "Host").Value);
        got.RemoveAll(pair => pair.Key is "Host" || pair.Key.Equals("x-request-id", StringComparison.OrdinalIgnoreCase)); // the one is compared, the other is the proxy's
        var wanted = request.TryGetProperty("derived_headers_after_policy", out var derived) ? Pairs(derived) : Sent;
        Equal("headers that the upstream received", Describe(wanted), Describe(got));
    }

    // "Request (http.status=0, has x-request-id)", "Response (http.status=200, same x-request-id)"
    private void CompareSequence()
    {
        var wanted = request.GetProperty("expect_log_sequence").EnumerateArray().Select(item => item.GetString()!).ToList();
        var id = entries[0].RequestId;
        var got = entries.Select((entry, i) => $"{entry.Type} (http.status={(entry.Http("status") is { Length: > 0 } status ? status : "0")}, "
            + (i == 0 ? entry.RequestId.Length > 0 ? "has" : "no" : entry.RequestId == id ? "same" : "another") + " x-request-id)");
        Equal("expect_log_sequence", string.Join(", ", wanted), string.Join(", ", got));
    }

    private void CompareEntries()
    {
        var secrets = VectorPolicy.Secrets(context).Values;
        foreach (var entry in entries)
        {
            foreach (var secret in secrets.Where(entry.Shows))
            {
                failures.Add($"a secret is printed: {entry}");
            }
        }
        if (request.TryGetProperty("derived_log_headers", out var derived))
        {
            Equal("missing", Describe(Pairs(derived.GetProperty("missing"))), Describe(entries[0].Pairs("missing_headers")));
            Equal("rejected", Describe(Pairs(derived.GetProperty("rejected"))), Describe(entries[0].Pairs("rejected_headers")));
        }
        if (context.GetProperty("is_l7lb").GetBoolean())
        {
            Equal("destination_address", new IPEndPoint(address, request.GetProperty("port").GetInt32()).ToString(), entries[0].Text("destination_address"));
            Equal("destination_security_id", request.GetProperty("remote_identity").ToString(), entries[0].Text("destination_security_id"));
        }
        Equal("policy_name", address.ToString(), entries[0].Text("policy_name"));
        if (request.TryGetProperty("expect_access_log", out var expected))
        {
            foreach (var wanted in expected.EnumerateArray())
            {
                CompareEntry(wanted, entries.Find(entry => entry.Type == wanted.GetProperty("entry_type").GetString())!, secrets);
            }
        }
    }

    private void CompareEntry(JsonElement wanted, SeenEntry entry, ICollection<string> secrets)
    {
        foreach (var field in wanted.EnumerateObject())
        {
            var text = field.Value.ToString();
            switch (field.Name)
            {
                case "entry_type":
                    break;
                case "missing_headers_count" or "rejected_headers_count":
                    Equal(field.Name, text, entry.Pairs(field.Name[..^"_count".Length]).Count.ToString());
                    break;
                case "missing_headers_contains" or "rejected_headers_contains" or "headers_contains" or "headers_not_contains":
                    var contains = !field.Name.EndsWith("_not_contains", StringComparison.Ordinal);
                    var list = entry.Pairs(field.Name[..field.Name.LastIndexOf(contains ? "_contains" : "_not_contains", StringComparison.Ordinal)]);
                    foreach (var pair in field.Value.EnumerateArray())
                    {
                        var value = pair.TryGetProperty("value", out var said) ? said.GetString() : null;
                        value = value is not null && secrets.Contains(value) ? "[redacted]" : value; // upstream prints it there
                        Equal($"{field.Name} {pair}", contains.ToString(), list.Exists(p => p.Key == pair.GetProperty("key").GetString() && (value is null || p.Value == value)).ToString());
                    }
                    break;
                case "source_security_id" or "destination_security_id":
                    Equal(field.Name, text, entry.Text(field.Name));
                    break;
                case "source_address_ip":
                    Equal(field.Name, address.ToString(), IPEndPoint.Parse(entry.Text("source_address")).Address.ToString());
                    break;
                default:
                    failures.Add($"the vector says {field.Name}, which nobody compares");
                    break;
            }
        }
    }

    private void Equal(string what, string wanted, string got)
    {
        if (wanted != got)
        {
            failures.Add($"{what}: expected {wanted}, got {got}");
        }
    }

    private static IEnumerable<KeyValuePair<string, string>> Pairs(JsonElement list) => list.EnumerateArray().Select(pair => KeyValuePair.Create(pair[0].GetString()!, pair[1].GetString()!));

    private static string Describe(IEnumerable<KeyValuePair<string, string>> pairs) =>
        string.Join(", ", pairs.Select(pair => $"{pair.Key.ToLowerInvariant()}: {pair.Value}").Order(StringComparer.Ordinal));
}
