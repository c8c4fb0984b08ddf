using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using Postern.Agent.Api;

namespace Postern.Agent.Cli;

/// <summary><c>postern-agent endpoint list</c>.</summary>
internal static class EndpointCommand
{
    public static Command Create() => new("endpoint", "The node's endpoints")
    {
        new Query().Of<List<EndpointView>>("list", "Endpoints with identity, addresses and what is enforced for them", "/v1/endpoints", Write),
    };

    internal static void Write(IReadOnlyList<EndpointView> endpoints, TextWriter output)
    {
        var table = new TextTable("ENDPOINT", "NAME", "INGRESS", "EGRESS", "IDENTITY", "LABELS", "ADDRESSES", "POLICIES", "REDIRECTS");
        foreach (var endpoint in endpoints)
        {
            table.Add(
                endpoint.Id.ToString(CultureInfo.InvariantCulture),
                endpoint.Name,
                endpoint.IngressEnforcement,
                endpoint.EgressEnforcement,
                endpoint.Identity.ToString(CultureInfo.InvariantCulture),
                string.Join('\n', endpoint.Labels),
                string.Join('\n', endpoint.Addresses),
                Lines(endpoint.Policies),
                Lines([.. Redirects(endpoint)]));
        }
        table.WriteTo(output);
    }

    private static IEnumerable<string> Redirects(EndpointView endpoint)
    {
        foreach (var redirect in endpoint.Redirects)
        {
            var peer = redirect.Remote is null ? string.Empty : (redirect.Direction == "ingress" ? " from " : " to ") + redirect.Remote;
            yield return $"{redirect.Direction} {redirect.Ports}{peer} -> {redirect.Listener}:{redirect.ProxyPort?.ToString(CultureInfo.InvariantCulture) ?? "(no port)"}";
        }
    }

    private static string Lines(IReadOnlyList<string> lines) => lines.Count == 0 ? "-" : string.Join('\n', lines);
}
