using Postern.Agent.Compile;
using Postern.Policy;

namespace Postern.Agent.Envoy;

/// <summary>One of the agent's own listeners.</summary>
/// <param name="Direction">Of the traffic that is steered to it, seen from the endpoint.</param>
/// <param name="Kind">What it looks into.</param>
/// <param name="Port">Proxy port, from <see cref="ProxyPorts"/>; also the proxy id of its records.</param>
public sealed record AgentListener(TrafficDirection Direction, RedirectKind Kind, ushort Port)
{
    /// <summary>Name of the listener resource, like <c>cilium-http-ingress:12345</c>.</summary>
    public string Name => $"{PortName(Direction, Kind)}:{Port}";

    /// <summary>The name to acquire the port under, like <c>cilium-http-ingress</c>.</summary>
    public static string PortName(TrafficDirection direction, RedirectKind kind) =>
        $"cilium-{NameOf(kind)}-{(direction == TrafficDirection.Ingress ? "ingress" : "egress")}";

    private static string NameOf(RedirectKind kind) => kind switch
    {
        RedirectKind.Http => "http",
        RedirectKind.Https => "https",
        _ => "tcp",
    };
}
