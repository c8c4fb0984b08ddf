using Postern.Policy;

namespace Postern.Proxy.PolicyTest;

/// <summary>Says a verdict in a sentence, for people who try a policy before they roll it out.</summary>
internal static class VerdictText
{
    public static string Explain(
        PolicyVerdict verdict, TrafficDirection direction, string address, ushort port, uint remote, string sni, uint proxyId, bool uncovered)
    {
        var side = direction == TrafficDirection.Ingress ? "ingress" : "egress";
        var field = side + "_per_port_policies";
        var rule = verdict.RuleName.Length == 0 ? "a rule without name" : $"rule '{verdict.RuleName}'";
        return verdict.Reason switch
        {
            PolicyReason.Allowed => $"{side} port {port}: allowed by {rule}",
            PolicyReason.NoPolicyForEndpoint => $"no policy has '{address}' in endpoint_ips (compared as text: IPv6 in lower case and compressed)",
            PolicyReason.NoRulesForDirection => $"{field} of '{address}' is empty, which denies all {side}; add an entry to allow some",
            PolicyReason.NoRulesForPort => $"no entry of {field} of '{address}' covers port {port}; add one, or one with port 0 for any port",
            PolicyReason.DenyRule => $"{side} port {port}: denied by {rule}",
            PolicyReason.NoRuleForIdentity => $"{side} port {port}: no rule names identity {remote} in remote_policies (or it has another proxy_id than {proxyId})",
            PolicyReason.ServerNameMismatch when sni.Length == 0 => $"{side} port {port}: a rule would allow identity {remote}, but it has server_names and the client sent no SNI",
            PolicyReason.ServerNameMismatch => $"{side} port {port}: a rule would allow identity {remote}, but SNI '{sni}' is not in its server_names",
            PolicyReason.NoHttpRuleMatched => $"{side} port {port}: rules name identity {remote}, none of their http_rules accepts this request",
            _ => uncovered ? "nothing covers the port" : verdict.Reason.ToString(),
        };
    }
}
