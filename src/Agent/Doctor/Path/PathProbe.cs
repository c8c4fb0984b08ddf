using System;
using System.Collections.Generic;
using System.Net;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Postern.Agent.Api;
using Postern.Agent.Cli;
using Postern.Tproxy.Diagnosis;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Doctor.Path;

/// <summary>Asks kernel and agent about one packet. Changes nothing.</summary>
internal sealed class PathProbe(NodeFacts node, NetworkDiagnosis network, ApiClient client)
{
    private const uint Mark = 0x200;

    /// <exception cref="ApiException">Nobody is known by that name, or has an address of that IP version.</exception>
    public async Task<PathFacts> ReadAsync(string from, IPEndPoint to, SteeringProtocol protocol, CancellationToken cancellationToken)
    {
        var (source, endpoint) = Find(from, to);
        var facts = new PathFacts
        {
            From = endpoint?.Name ?? from,
            Source = source,
            To = to,
            Protocol = protocol,
            Endpoint = endpoint,
            ToSource = network.Route(source),
            Onward = network.Route(to.Address),
        };
        facts = facts with
        {
            Marked = facts.Device is { } device ? network.Route(to.Address, source, device, Mark) : null,
            Back = facts.Onward is { Refusal: null, IsLocal: false } onward ? network.Route(source, to.Address, onward.Device, Mark) : null,
        };
        if (node.Agent.Status is null)
        {
            return facts with { PolicyFault = "no agent answers" };
        }
        if (protocol != SteeringProtocol.Tcp)
        {
            return facts with { PolicyFault = "policy is traced for TCP only" };
        }
        try
        {
            var question = new TraceQuestion { From = facts.From, To = to.Address.ToString(), Port = (ushort)to.Port };
            return facts with { Policy = JsonSerializer.Deserialize<TraceView>(await client.PostAsync("/v1/policy/trace", question, cancellationToken).ConfigureAwait(false), ApiJson.Options) };
        }
        catch (Exception e) when (e is ApiException or JsonException)
        {
            return facts with { PolicyFault = e.Message };
        }
    }

    private (IPAddress Source, EndpointView? Endpoint) Find(string from, IPEndPoint to)
    {
        var isAddress = IPAddress.TryParse(from, out var wanted);
        var names = new List<string>();
        foreach (var endpoint in node.Agent.Endpoints)
        {
            names.Add(endpoint.Name);
            var isNamed = endpoint.Name == from || endpoint.Name == "default/" + from;
            IPAddress? same = null;
            foreach (var text in endpoint.Addresses)
            {
                if (IPAddress.TryParse(text, out var address) && address.AddressFamily == to.AddressFamily && (isNamed || address.Equals(wanted)))
                {
                    same ??= address;
                }
            }
            if (same is not null)
            {
                return (same, endpoint);
            }
            if (isNamed)
            {
                throw new ApiException($"--from: {endpoint.Name} has no {(to.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? "IPv4" : "IPv6")} address, as --to has", 2);
            }
        }
        return isAddress && wanted!.AddressFamily == to.AddressFamily
            ? (wanted, null)
            : throw new ApiException(isAddress
                ? $"--from {from} and --to {to.Address} are not of the same IP version"
                : node.Agent.Status is null
                    ? $"--from: '{from}' is not an address, and {node.Agent.Fault}"
                    : $"--from: there is no endpoint '{from}'; there are: {(names.Count == 0 ? "none" : string.Join(", ", names))}", 2);
    }
}
