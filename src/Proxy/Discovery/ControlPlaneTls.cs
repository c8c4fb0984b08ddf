using System;
using System.Net.Security;
using Postern.Proxy.Tls;
using Postern.Xds.Config;

namespace Postern.Proxy.Discovery;

/// <summary>TLS to a control plane, as to any upstream; its secrets stand in the bootstrap itself, for nobody could bring them.</summary>
internal static class ControlPlaneTls
{
    /// <exception cref="InvalidOperationException">The context cannot be made, though its configuration was found valid.</exception>
    public static SslClientAuthenticationOptions Options(UpstreamTlsConfig config)
    {
        var context = TlsMaterial.TryResolve(config.Common, static _ => null, out var problem) is { } material
            ? TlsClientContext.TryBuild(config, material, TimeProvider.System, out problem)
            : null;
        return context?.Options ?? throw new InvalidOperationException($"transport_socket of a control plane: {problem}");
    }
}
