using System;
using System.Collections.Generic;
using System.Globalization;
using System.Net;
using Postern.Agent.Compile;

namespace Postern.Agent.Api;

/// <summary>One of <c>GET /v1/endpoints</c>.</summary>
/// <param name="Id">1–65535.</param>
/// <param name="Name">Namespace/name.</param>
/// <param name="Identity">Security identity.</param>
/// <param name="Labels">Security labels.</param>
/// <param name="Addresses">v4 then v6.</param>
/// <param name="Interface">Host side, or null.</param>
/// <param name="Netns">Or null.</param>
/// <param name="IngressEnforcement">Enabled or Disabled.</param>
/// <param name="EgressEnforcement">Enabled or Disabled.</param>
/// <param name="Policies">That select it.</param>
/// <param name="Redirects">To listeners.</param>
public sealed record EndpointView(
    ushort Id,
    string Name,
    uint Identity,
    IReadOnlyList<string> Labels,
    IReadOnlyList<string> Addresses,
    string? Interface,
    string? Netns,
    string IngressEnforcement,
    string EgressEnforcement,
    IReadOnlyList<string> Policies,
    IReadOnlyList<RedirectView> Redirects)
{
    /// <summary>Made from a compiled one.</summary>
    public static EndpointView Of(CompiledEndpoint endpoint, Func<Redirect, ushort?> portOf)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        ArgumentNullException.ThrowIfNull(portOf);
        var addresses = new List<string>();
        foreach (IPAddress address in endpoint.Addresses)
        {
            addresses.Add(address.ToString());
        }
        var redirects = new List<RedirectView>();
        foreach (var redirect in endpoint.Redirects)
        {
            redirects.Add(new RedirectView(
                redirect.Direction.ToString().ToLowerInvariant(),
                Ports(redirect),
                redirect.Listener ?? redirect.Kind.ToString().ToLowerInvariant(),
                redirect.Remote?.ToString(),
                portOf(redirect)));
        }
        return new EndpointView(
            endpoint.Id, endpoint.Name, endpoint.Identity, endpoint.Labels, addresses, endpoint.Interface, endpoint.Netns,
            Enforcement(endpoint.IngressEnforced), Enforcement(endpoint.EgressEnforced), endpoint.Policies, redirects);
    }

    private static string Ports(Redirect redirect) => redirect switch
    {
        { Port: 1, EndPort: 65535 } => "any",
        _ when redirect.Port == redirect.EndPort => redirect.Port.ToString(CultureInfo.InvariantCulture),
        _ => string.Create(CultureInfo.InvariantCulture, $"{redirect.Port}-{redirect.EndPort}"),
    };

    private static string Enforcement(bool isSelected) => isSelected ? "Enabled" : "Disabled";
}

/// <summary>A redirect.</summary>
/// <param name="Direction">ingress or egress.</param>
/// <param name="Ports">One, a range, or any.</param>
/// <param name="Listener">tcp, http or a qualified name.</param>
/// <param name="Remote">Only for this peer, or null.</param>
/// <param name="ProxyPort">Or null while it has none.</param>
public sealed record RedirectView(string Direction, string Ports, string Listener, string? Remote, ushort? ProxyPort);
