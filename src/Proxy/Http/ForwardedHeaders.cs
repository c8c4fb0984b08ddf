using System;
using System.Net;
using System.Net.Sockets;
using Postern.Proxy.Http1;

namespace Postern.Proxy.Http;

/// <summary>
/// What a connection manager does to the headers that tell servers of the client, by Envoy's rules ("HTTP header manipulation" in its
/// documentation). With <c>use_remote_address</c> whoever is connected is the client: it is appended to x-forwarded-for, x-forwarded-proto is
/// ours, and a client from outside has no say in x-envoy-* and x-forwarded-client-cert. Without it, or with <c>skip_xff_append</c>, they pass as sent:
/// nothing is added unless configured.
/// </summary>
/// <param name="UsesRemoteAddress"><c>use_remote_address</c>.</param>
/// <param name="Appends">The same without <c>skip_xff_append</c>.</param>
/// <param name="TrustedHops"><c>xff_num_trusted_hops</c>.</param>
/// <param name="Internal"><c>internal_address_config.cidr_ranges</c>.</param>
internal sealed record ForwardedHeaders(bool UsesRemoteAddress, bool Appends, int TrustedHops, IPNetwork[] Internal)
{
    /// <summary>Everything passes as it was sent.</summary>
    public static readonly ForwardedHeaders Untouched = new(false, false, 0, []);

    private const string ForwardedFor = "x-forwarded-for";
    private const string ForwardedProto = "x-forwarded-proto";

    // What only an inside client, or a proxy of ours, may ask for.
    private static readonly string[] NotFromOutside =
    [
        "x-envoy-decorator-operation",
        "x-envoy-downstream-service-cluster",
        "x-envoy-downstream-service-node",
        "x-envoy-expected-rq-timeout-ms",
        "x-envoy-force-trace",
        "x-envoy-hedge-on-per-try-timeout",
        "x-envoy-ip-tags",
        "x-envoy-max-retries",
        "x-envoy-original-host",
        "x-envoy-original-path",
        "x-envoy-original-url",
        "x-envoy-retriable-header-names",
        "x-envoy-retriable-status-codes",
        "x-envoy-retry-grpc-on",
        "x-envoy-retry-on",
        "x-envoy-upstream-alt-stat-name",
        "x-envoy-upstream-rq-per-try-timeout-ms",
        "x-envoy-upstream-rq-timeout-alt-response",
        "x-envoy-upstream-rq-timeout-ms",
    ];

    private static readonly Func<ReadOnlySpan<char>, bool> IsNotFromOutside = static name =>
    {
        if (name.StartsWith("x-envoy-", StringComparison.OrdinalIgnoreCase))
        {
            foreach (var listed in NotFromOutside)
            {
                if (name.Equals(listed, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }
        return false;
    };

    /// <summary>Whether a request comes from outside to the first proxy of ours. Asked before <see cref="Apply"/>, which adds to what it looks at.</summary>
    public bool IsFromOutside(RequestHead head, IPAddress client) =>
        UsesRemoteAddress && (head.TryFind(ForwardedFor, out _) || !IsInternal(client));

    /// <summary>Changes the head.</summary>
    /// <param name="head">Of the request.</param>
    /// <param name="client">Who is connected; never an IPv4 address in IPv6 form.</param>
    /// <param name="fromOutside">As <see cref="IsFromOutside"/> said.</param>
    public void Apply(RequestHead head, IPAddress client, bool fromOutside)
    {
        if (!Appends)
        {
            return;
        }
        Span<char> text = stackalloc char[64];
        var trusted = TrustedHops > 0 ? AddressFromEnd(head, TrustedHops) ?? client : client;
        client.TryFormat(text, out var length);
        head.AppendToList(ForwardedFor, text[..length]);
        if (TrustedHops == 0 || !head.TryFind(ForwardedProto, out _))
        {
            head.SetHeader(ForwardedProto, head.Scheme);
        }
        head.RemoveHeader("x-envoy-internal");
        head.RemoveHeader("x-forwarded-client-cert"); // Envoy's SANITIZE: no client shows a certificate here
        if (!fromOutside)
        {
            head.AppendHeader("x-envoy-internal", "true");
            return;
        }
        head.RemoveHeaders(IsNotFromOutside);
        trusted.TryFormat(text, out length);
        head.SetHeader("x-envoy-external-address", text[..length]);
    }

    private bool IsInternal(IPAddress client)
    {
        foreach (var range in Internal)
        {
            if (range.Contains(client))
            {
                return true;
            }
        }
        return false;
    }

    // The address at that place from the right of x-forwarded-for, 1 being the last; null when there is none, or no address.
    private static IPAddress? AddressFromEnd(RequestHead head, int place)
    {
        for (var i = head.Count - 1; i >= 0; i--)
        {
            if (!head.NameIs(i, ForwardedFor))
            {
                continue;
            }
            var rest = head.ValueAt(i);
            while (true)
            {
                var comma = rest.LastIndexOf(',');
                if (--place == 0)
                {
                    return ParseAddress(rest[(comma + 1)..].Trim(" \t"));
                }
                if (comma < 0)
                {
                    break;
                }
                rest = rest[..comma];
            }
        }
        return null;
    }

    // IPAddress.TryParse alone takes "1", "010.0.0.1" (octal) and "[::1]:80".
    private static IPAddress? ParseAddress(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > 45 || text.IndexOfAny("[]%/ ") >= 0 || !IPAddress.TryParse(text, out var address))
        {
            return null;
        }
        Span<char> again = stackalloc char[64];
        address.TryFormat(again, out var length);
        return address.AddressFamily == AddressFamily.InterNetworkV6 || again[..length].SequenceEqual(text) ? address : null;
    }
}
