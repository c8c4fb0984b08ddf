namespace Postern.Tests.Netns.Foreign;

/// <summary>Envoy's TLS transport socket as JSON text.</summary>
internal static class TlsText
{
    /// <param name="type">DownstreamTlsContext or UpstreamTlsContext.</param>
    /// <param name="context">Its JSON object.</param>
    internal static string Socket(string type, string context) => $$"""
        {"name":"tls","typed_config":{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.{{type}}",{{context.Trim()[1..]}} }
        """;
}
