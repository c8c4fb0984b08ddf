using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using Postern.Policy;
using Postern.Records;

namespace Postern.Tests.Records;

/// <summary>A request or response made of strings.</summary>
public sealed class SampleExchange : IHttpPolicyRequest
{
    private readonly List<(string Name, string Value)> lines = [];

    public string MethodText { get; set; } = "GET";

    public string PathText { get; set; } = "/v1/exhaust-port?force=yes";

    public string AuthorityText { get; set; } = "deathstar.default.svc.cluster.local";

    public string SchemeText { get; set; } = "http";

    public int Count => lines.Count;

    public ReadOnlySpan<char> Method => MethodText;

    public ReadOnlySpan<char> Path => PathText;

    public ReadOnlySpan<char> Authority => AuthorityText;

    public ReadOnlySpan<char> Scheme => SchemeText;

    public ReadOnlySpan<char> NameAt(int index) => lines[index].Name;

    public ReadOnlySpan<char> ValueAt(int index) => lines[index].Value;

    public SampleExchange With(string name, string value)
    {
        lines.Add((name, value));
        return this;
    }

    public void RemoveHeader(string name) => lines.RemoveAll(line => line.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    public void AppendHeader(string name, string value) => lines.Add((name, value));

    public void SetHeader(string name, string value)
    {
        RemoveHeader(name);
        AppendHeader(name, value);
    }

    /// <summary>HeaderMatchLog is filled by policy only; tests reach its two methods from outside.</summary>
    public static void NoteMissing(HeaderMatchLog log, string name, string value) => AddMissing(log, name, value);

    public static void NoteRejected(HeaderMatchLog log, string name, string value) => AddRejected(log, name, value);

    /// <summary>An allowed request with eight headers, as curl behind an ingress sends them.</summary>
    public static VisibilityRecord Request() => new()
    {
        TimestampNanos = 1_769_904_000_123_456_789,
        EntryType = EntryType.Request,
        Direction = TrafficDirection.Ingress,
        PolicyName = "10.0.0.7",
        ProxyId = 42,
        SourceIdentity = 31337,
        DestinationIdentity = 0,
        SourceAddress = "10.0.1.9:45678",
        DestinationAddress = "10.0.0.7:80",
        Listener = "cilium-http-ingress:10080",
        Reason = "allowed",
        RuleName = "rule1",
        Http = new HttpRecord
        {
            Protocol = HttpProtocol.Http11,
            Scheme = "http",
            Request = new SampleExchange()
                .With("Host", "deathstar.default.svc.cluster.local")
                .With("User-Agent", "curl/7.88.1")
                .With("Accept", "*/*")
                .With("Accept-Encoding", "gzip, deflate, br")
                .With("X-Request-Id", "ba41267c-cfc2-4a92-ad3e-cd084ab099b4")
                .With("X-Forwarded-For", "192.168.10.20")
                .With("Content-Type", "application/json")
                .With("Authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.e30.secret"),
            HeaderMatches = new HeaderMatchLog(),
        },
    };

    /// <summary>The answer to <see cref="Request"/>.</summary>
    public static VisibilityRecord Response()
    {
        var record = Request();
        record.EntryType = EntryType.Response;
        record.LatencyNanos = 1_234_567;
        record.Http!.Status = 200;
        record.Http.ResponseHeaders = new SampleExchange()
            .With("Content-Type", "text/plain")
            .With("Content-Length", "1024")
            .With("Date", "Sun, 01 Feb 2026 00:00:00 GMT")
            .With("Set-Cookie", "session=abc");
        return record;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "AddMissing")]
    private static extern void AddMissing(HeaderMatchLog log, string name, string value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "AddRejected")]
    private static extern void AddRejected(HeaderMatchLog log, string name, string value);
}
