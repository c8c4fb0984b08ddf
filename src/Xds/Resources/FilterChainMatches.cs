using System;
using Envoy.Config.Listener.V3;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>envoy.config.listener.v3.FilterChainMatch</c>.</summary>
internal static class FilterChainMatches
{
    /// <summary>Validates a match; server names become lower case.</summary>
    public static FilterChainMatchConfig ToConfig(FilterChainMatch match, ConfigPath path) => new()
    {
        DestinationPort = match.DestinationPort is { } port ? Port(port, path.Field("destination_port")) : null,
        PrefixRanges = match.PrefixRanges.Map(path.Field("prefix_ranges"), Addresses.ToCidr),
        SourcePrefixRanges = match.SourcePrefixRanges.Map(path.Field("source_prefix_ranges"), Addresses.ToCidr),
        SourcePorts = match.SourcePorts.Map(path.Field("source_ports"), Port),
        ServerNames = match.ServerNames.Map(path.Field("server_names"), ServerName),
        ApplicationProtocols = match.ApplicationProtocols.Map(path.Field("application_protocols"), TypedConfig.Required),
        TransportProtocol = match.TransportProtocol is "" or "raw_buffer" or "tls"
            ? match.TransportProtocol
            : throw path.Field("transport_protocol").Error($"expected raw_buffer or tls, found {Printable.Quote(match.TransportProtocol)}"),
    };

    private static uint Port(uint port, ConfigPath path) =>
        port is >= 1 and <= 65535 ? port : throw path.Error($"{port} is not within 1 to 65535");

    private static string ServerName(string name, ConfigPath path)
    {
        var rest = name.StartsWith("*.", StringComparison.Ordinal) ? name.AsSpan(2) : name;
        return rest.Length > 0 && !rest.Contains('*')
            ? name.ToLowerInvariant()
            : throw path.Error($"{Printable.Quote(name)} is neither a name nor *.suffix; leave server_names out to match any");
    }
}
