using System;
using Postern.Proxy.Tls;
using Postern.Xds.Config;

namespace Postern.Proxy.Discovery;

/// <summary>A TLS context with the secrets that it names, which stay subscribed until it is disposed.</summary>
internal sealed class HeldTls<TContext> : IDisposable
    where TContext : class
{
    private readonly TlsSecrets secrets;
    private TlsContextSlot<TContext>? slot;

    /// <param name="cache">Of secrets.</param>
    /// <param name="common">Names them.</param>
    /// <param name="build">Compiles.</param>
    public HeldTls(SecretCache cache, CommonTlsConfig common, TlsContextSlot<TContext>.Build build)
    {
        secrets = cache.HoldTls(common, () => slot?.Refresh()); // a secret that comes at once is taken up by the slot's own beginning
        slot = new TlsContextSlot<TContext>(common, secrets.Find, build);
    }

    public TlsContextSlot<TContext> Slot => slot!;

    public void Dispose() => secrets.Dispose();
}

/// <summary>The two kinds.</summary>
internal static class HeldTls
{
    public static HeldTls<TlsServerContext> Server(SecretCache cache, DownstreamTlsConfig config, TimeProvider time) =>
        new(cache, config.Common, (TlsMaterial material, out TlsProblem? problem) => TlsServerContext.TryBuild(config, material, time, out problem));

    public static HeldTls<TlsClientContext> Client(SecretCache cache, UpstreamTlsConfig config, TimeProvider time) =>
        new(cache, config.Common, (TlsMaterial material, out TlsProblem? problem) => TlsClientContext.TryBuild(config, material, time, out problem));
}
