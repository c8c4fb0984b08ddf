namespace Postern.Tests.Netns.Agent;

/// <summary>CiliumNetworkPolicies as people write them.</summary>
internal static class Policies
{
    /// <summary>Empire ships reach port 80 of the death star.</summary>
    internal const string L4 = """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata:
          name: rule1
        spec:
          endpointSelector:
            matchLabels:
              org: empire
              class: deathstar
          ingress:
          - fromEndpoints:
            - matchLabels:
                org: empire
            toPorts:
            - ports:
              - port: "80"
                protocol: TCP
        """;

    /// <summary>… and may only land.</summary>
    internal const string L7 = L4 + "\n" + """
              rules:
                http:
                - method: "POST"
                  path: "/v1/request-landing"
        """;

    /// <summary>The tiefighter may go to port 80 of anything of the empire.</summary>
    internal const string Egress = """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata:
          name: leash
        spec:
          endpointSelector:
            matchLabels:
              class: tiefighter
          egress:
          - toEndpoints:
            - matchLabels:
                org: empire
            toPorts:
            - ports:
              - port: "80"
                protocol: TCP
        """;
}
