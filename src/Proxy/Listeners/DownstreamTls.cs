using System;
using Postern.Filters;
using Postern.Filters.Network;
using Postern.Policy;
using Postern.Proxy.Tls;
using Postern.Records;

namespace Postern.Proxy.Listeners;

/// <summary>TLS of a filter chain: its own (<c>envoy.transport_sockets.tls</c>), or what policy gives each connection (<c>cilium.tls_wrapper</c>).</summary>
/// <param name="Slot">Its own context; null without.</param>
/// <param name="ByPolicy">The contexts of policy, where they decide; null elsewhere.</param>
/// <param name="Timeout"><c>transport_socket_connect_timeout</c>: of a handshake.</param>
internal sealed record DownstreamTls(TlsContextSlot<TlsServerContext>? Slot, IPolicyTls? ByPolicy, TimeSpan Timeout)
{
    /// <summary>Where the chain names none: a handshake may not take for ever.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(10);

    /// <summary>What a connection gets.</summary>
    /// <param name="chain">For messages.</param>
    /// <param name="metadata">Who talks, or null.</param>
    /// <param name="rules">Of the connection's pod, for this port; null without metadata.</param>
    /// <returns>A context; none where bytes pass as they are; or a refusal.</returns>
    public (TlsServerContext? Context, TlsRefusal? Refusal) Choose(string chain, ConnectionMetadata? metadata, PortPolicy? rules)
    {
        if (Slot is { } own)
        {
            return own.Current is { } context ? (context, null) : (null, new TlsRefusal("tls_secret_missing", $"filter chain \"{chain}\" has no TLS context: {own.Problem}", ""));
        }
        if (metadata is null || rules is null)
        {
            return (null, new TlsRefusal("tls_context_required", "connection has no identity: cilium.tls_wrapper needs the listener filter cilium.bpf_metadata", ""));
        }
        var found = rules.FindTlsContext(TlsSide.Downstream, metadata.RemoteIdentity, metadata.Sni, metadata.ProxyId);
        switch (found.Outcome)
        {
            case TlsContextOutcome.Raw:
                return (null, null);
            case TlsContextOutcome.Denied:
                var verdict = CiliumNetwork.Judge(metadata, rules, TlsStance.Any);
                return (null, new TlsRefusal(RecordVerdict.NameOf(verdict.Reason), RefusalText.Explain(metadata, verdict), verdict.RuleName));
            default:
                var slot = ByPolicy!.FindServer(found.Context!);
                return slot?.Current is { } context ? (context, null) : (null, new TlsRefusal(
                    "tls_secret_missing",
                    $"downstream_tls_context of the rule of {metadata.PodAddress} for port {metadata.PolicyPort}: {slot?.Problem?.ToString() ?? "policy changed, and it is gone"}",
                    ""));
        }
    }
}

/// <summary>Why a client gets no handshake.</summary>
internal sealed record TlsRefusal(string Reason, string Detail, string Rule);
