namespace Postern.Tests.Netns.Proxy;

/// <summary>What <see cref="ConfigText.Steered"/> writes.</summary>
internal sealed record ListenerText
{
    internal string Name { get; init; } = "ingress";

    internal int Port { get; init; } = 15001;

    internal bool Ingress { get; init; } = true;

    internal int ProxyId { get; init; } = 15001;

    internal string PolicyPath { get; init; } = "";

    /// <summary>cilium_config_source, when policy does not come from <see cref="PolicyPath"/>.</summary>
    internal string PolicySource { get; init; } = "";

    internal string AccessLog { get; init; } = "";

    /// <summary>Plain bytes go to tcp_proxy too, not to HTTP.</summary>
    internal bool Opaque { get; init; }

    /// <summary>With cilium.l7policy.</summary>
    internal bool Judges { get; init; } = true;

    internal string HeadersTimeout { get; init; } = "30s";

    internal string StreamIdle { get; init; } = "300s";

    internal string Idle { get; init; } = "3600s";

    /// <summary>Where the route table "table" comes from; empty: the route is written in the listener.</summary>
    internal string Rds { get; init; } = "";

    /// <summary>More members of the HTTP connection manager, each ending in a comma.</summary>
    internal string HttpExtra { get; init; } = "";

    /// <summary>The transport socket that ends TLS; then the TLS chain is one of HTTP. Empty: TLS passes by tcp_proxy.</summary>
    internal string TlsSocket { get; init; } = "";

    /// <summary>Where HTTP of both chains goes.</summary>
    internal string Cluster { get; init; } = "original";

    /// <summary>More members of the listener, each ending in a comma.</summary>
    internal string Extra { get; init; } = "";
}
