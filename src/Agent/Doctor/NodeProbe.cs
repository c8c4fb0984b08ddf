using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Postern.Agent.Api;
using Postern.Agent.Cli;
using Postern.Tproxy;
using Postern.Tproxy.Diagnosis;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Doctor;

/// <summary>Collects the facts: asks the agent, if there is one, and looks at the kernel. Changes nothing.</summary>
/// <param name="bpfRoot">Where pins are; null: as the agent says, else as usual.</param>
/// <param name="client">Of the agent.</param>
/// <param name="socket">The client's.</param>
internal sealed class NodeProbe(string? bpfRoot, ApiClient client, string socket)
{
    private const int MostRoutes = 64;

    public NetworkDiagnosis Network { get; } = new(SteeringOptions.Default);

    public async Task<NodeFacts> ReadAsync(CancellationToken cancellationToken)
    {
        var agent = await AgentAsync(cancellationToken).ConfigureAwait(false);
        var options = SteeringOptions.Default with { BpfRoot = bpfRoot ?? (agent.Status?.Steering.BpfRoot is { Length: > 0 } told ? told : SteeringOptions.Default.BpfRoot) };
        var blind = new List<string>();
        if (agent.Status?.Proxy.Pid is { } proxy && Elsewhere(proxy) is { } where)
        {
            blind.Add(where);
        }
        var network = Network.Read();
        var facts = new NodeFacts
        {
            Options = options,
            Agent = agent,
            Kernel = KernelDiagnosis.Read(options),
            Network = network,
            Bpf = BpfDiagnosis.Read(options, network.Links),
            EndpointRoutes = Routes(agent.Endpoints, blind),
        };
        var ports = new HashSet<int>();
        foreach (var rule in facts.Rules)
        {
            ports.Add(rule.ProxyPort);
        }
        return facts with { Listeners = ListenerSockets.WithProcesses(ListenerSockets.Read(blind.Add), ports), Blind = blind };
    }

    // Else all that is wrong is said of a network that nobody polices.
    private static string? Elsewhere(int proxy)
    {
        try
        {
            var (its, own) = (new FileInfo($"/proc/{proxy}/ns/net").LinkTarget, new FileInfo("/proc/self/ns/net").LinkTarget);
            return its is null || its == own ? null : $"network namespace: the agent's proxy is in {its}, the doctor in {own}, and all that it says is of that one; nsenter --net=/proc/{proxy}/ns/net postern-agent doctor";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private async Task<AgentFacts> AgentAsync(CancellationToken cancellationToken)
    {
        try
        {
            var status = JsonSerializer.Deserialize<StatusView>(await client.GetAsync("/v1/status", cancellationToken).ConfigureAwait(false), ApiJson.Options);
            var endpoints = JsonSerializer.Deserialize<List<EndpointView>>(await client.GetAsync("/v1/endpoints", cancellationToken).ConfigureAwait(false), ApiJson.Options);
            var rules = new List<SteeringRule>();
            foreach (var text in status?.Steering.Rules ?? [])
            {
                rules.Add(SteeringRule.Parse(text));
            }
            return new AgentFacts { Socket = socket, Status = status, Endpoints = endpoints ?? [], Rules = rules };
        }
        catch (Exception e) when (e is ApiException or JsonException or TproxyException)
        {
            return new AgentFacts { Socket = socket, Fault = e.Message };
        }
    }

    private Dictionary<IPAddress, RouteAnswer> Routes(IReadOnlyList<EndpointView> endpoints, List<string> blind)
    {
        var routes = new Dictionary<IPAddress, RouteAnswer>();
        foreach (var endpoint in endpoints)
        {
            foreach (var text in endpoint.Addresses)
            {
                if (routes.Count >= MostRoutes)
                {
                    blind.Add($"routes to endpoints: only those of the first {MostRoutes} addresses were asked for");
                    return routes;
                }
                if (IPAddress.TryParse(text, out var address) && !routes.ContainsKey(address))
                {
                    routes.Add(address, Network.Route(address));
                }
            }
        }
        return routes;
    }
}
