using Postern.Policy;

namespace Postern.Filters.Network;

/// <summary>One sentence per cause, for operators: what is missing and where to look. Allocates only on refusals.</summary>
public static class RefusalText
{
    /// <summary>The sentence.</summary>
    public static string Explain(ConnectionMetadata? metadata, PolicyVerdict verdict, bool opaque = false)
    {
        if (metadata is null)
        {
            return "connection has no identity: the listener has no cilium.bpf_metadata filter";
        }
        var text = Reason(metadata, verdict, opaque);
        var note = metadata.Policy.Current.Note;
        return note.Length == 0 || text.Length == 0 ? text : $"{text} [{note}]";
    }

    private static string Reason(ConnectionMetadata metadata, PolicyVerdict verdict, bool opaque)
    {
        var direction = metadata.Direction == TrafficDirection.Ingress ? "ingress" : "egress";
        return verdict.Reason switch
        {
            PolicyReason.Allowed => "",
            PolicyReason.NoPolicyForEndpoint when metadata.Policy.Current.Version.Length == 0 && metadata.Policy.Current.Policies.Resources.Count == 0 =>
                $"no policy has been received yet, so nothing is allowed{(metadata.PodAddress.Length == 0 ? "" : " to " + metadata.PodAddress)}; check cilium_config_source of the listener",
            PolicyReason.NoPolicyForEndpoint when metadata.L7Lb is { Unusable: { Length: > 0 } why } => why,
            PolicyReason.NoPolicyForEndpoint when metadata.PodAddress.Length == 0 =>
                $"{metadata.Source.Address} is no endpoint of this node and the load balancer's listener applies no Ingress policy, so nobody's policy speaks for it; set enforce_policy_on_l7lb",
            PolicyReason.NoPolicyForEndpoint =>
                $"no policy for endpoint {metadata.PodAddress}; is it in a NetworkPolicy's endpoint_ips?",
            PolicyReason.NoRulesForDirection =>
                $"policy of {metadata.PodAddress} has no {direction} entries, which denies all {direction}",
            PolicyReason.NoRulesForPort =>
                $"policy of {metadata.PodAddress} has no {direction} entry for port {metadata.PolicyPort}",
            PolicyReason.DenyRule =>
                $"a deny rule of {metadata.PodAddress} matches identity {metadata.RemoteIdentity} on {direction} port {metadata.PolicyPort}",
            PolicyReason.NoRuleForIdentity =>
                $"no {direction} rule of {metadata.PodAddress} for port {metadata.PolicyPort} names identity {metadata.RemoteIdentity}"
                + (metadata.RemoteIdentity == Identities.World ? " (world: no NetworkPolicyHosts entry covers the address)" : ""),
            PolicyReason.ServerNameMismatch =>
                $"server name \"{metadata.Sni}\" is not in server_names of any {direction} rule of {metadata.PodAddress} for port {metadata.PolicyPort} and identity {metadata.RemoteIdentity}",
            PolicyReason.TlsContextRequired =>
                $"the rule of {metadata.PodAddress} for {direction} port {metadata.PolicyPort} wants TLS terminated or originated (downstream_tls_context, upstream_tls_context), which this connection does not get: its filter chain, or its cluster, has no cilium.tls_wrapper, or policy asked for it after the connection was open",
            PolicyReason.NoHttpRuleMatched when opaque =>
                $"rules of {metadata.PodAddress} for {direction} port {metadata.PolicyPort} look inside HTTP (or another protocol), but this connection's bytes are not parsed: its filter chain ends in tcp_proxy",
            PolicyReason.NoHttpRuleMatched =>
                $"no http rule of {metadata.PodAddress} for {direction} port {metadata.PolicyPort} and identity {metadata.RemoteIdentity} accepts this request",
            _ => "refused by policy",
        };
    }
}
