using System;
using System.IO;
using System.Net;
using System.Net.Security;
using System.Threading;
using System.Threading.Tasks;
using Postern.Filters;
using Postern.Filters.Network;
using Postern.Policy;
using Postern.Proxy.Errors;
using Postern.Proxy.Stats;
using Postern.Proxy.Tls;
using Postern.Proxy.Transport;
using Postern.Xds.Config;

namespace Postern.Proxy.Upstream;

/// <summary>TLS of a cluster: its own (<c>envoy.transport_sockets.tls</c>), or what policy gives each connection (<c>cilium.tls_wrapper</c>).</summary>
/// <param name="Slot">Its own context; null without.</param>
/// <param name="ByPolicy">The contexts of policy, where they decide; null elsewhere.</param>
internal sealed record UpstreamTls(TlsContextSlot<TlsClientContext>? Slot, IPolicyTls? ByPolicy)
{
    /// <summary>Bytes go out as they are.</summary>
    public static readonly UpstreamTls None = new(null, null);

    /// <summary>What a connection gets.</summary>
    /// <param name="cluster">Whose TLS this is.</param>
    /// <param name="metadata">Who talks, or null.</param>
    /// <param name="destination">Where to, in fact.</param>
    /// <returns>A context; none where bytes go out as they are; or an error: then there is to be no connection.</returns>
    public (TlsClientContext? Context, ProxyError Error) Choose(ClusterSnapshot cluster, ConnectionMetadata? metadata, EndPoint destination)
    {
        if (Slot is { } own)
        {
            return own.Current is { } context
                ? (context, ProxyError.None)
                : (null, new ProxyError(ErrorCode.UpstreamTls, $"cluster {cluster.Name} has no TLS context: {own.Problem}"));
        }
        if (metadata is null)
        {
            return ByPolicy is null ? (null, ProxyError.None) : Missing("the connection has no identity: cilium.tls_wrapper needs a listener with cilium.bpf_metadata");
        }
        var towards = metadata.Towards(destination);
        var rules = CiliumNetwork.PortOf(towards, towards.Policy.Current.Policies);
        var found = rules.FindTlsContext(TlsSide.Upstream, towards.RemoteIdentity, towards.Sni, towards.ProxyId);
        if (ByPolicy is null)
        {
            return found.Outcome != TlsContextOutcome.Context ? (null, ProxyError.None) : (null, new ProxyError(
                ErrorCode.TlsContextRequired,
                $"the rule of {towards.PodAddress} for port {towards.PolicyPort} has an upstream_tls_context, but cluster {cluster.Name} has no cilium.tls_wrapper to apply it; nothing is sent without"));
        }
        return found.Outcome switch
        {
            TlsContextOutcome.Raw => (null, ProxyError.None),
            TlsContextOutcome.Denied => Missing(RefusalText.Explain(towards, CiliumNetwork.Judge(towards, rules, TlsStance.Any))),
            _ => ByPolicy.FindClient(found.Context!) is not { } slot ? Missing("policy changed, and the upstream_tls_context of the connection is gone")
                : slot.Current is { } context ? (context, ProxyError.None)
                : Missing($"upstream_tls_context of the rule of {towards.PodAddress} for port {towards.PolicyPort}: {slot.Problem}"),
        };
    }

    /// <summary>The name that a connection sends instead of the configured one, and whether nothing else than it may be in the server's certificate.</summary>
    public static (string Name, NameCheck Check) Name(ClusterSnapshot cluster, ConnectionMetadata? metadata, ConnectPurpose purpose, TlsClientContext context)
    {
        if (metadata is { Sni.Length: > 0 })
        {
            return (metadata.Sni, NameCheck.ServerName); // the client's own
        }
        var host = HostOf(purpose.Authority);
        if (cluster.Config.AutoSanValidation)
        {
            return (host, NameCheck.ServerName); // .NET checks for the name that it sends: so that is the host's even without auto_sni
        }
        return cluster.Config.AutoSni && host.Length > 0 && !IPAddress.TryParse(host, out _) // an address is no server name (RFC 6066, 3)
            ? (host, NameCheck.Configured)
            : (context.ServerName, NameCheck.Configured);
    }

    /// <summary>Why a connection with that name and check cannot be made; null when it can.</summary>
    public static string? Unnamed(string name, NameCheck check) =>
        check == NameCheck.ServerName && name.Length == 0 ? "auto_san_validation needs the host of a request, and there is none: without it no server could be told from another" : null;

    /// <summary>Makes the handshake; owns the channel, which is gone where there is an error.</summary>
    public static async ValueTask<(TransportChannel? Channel, ProxyError Error)> ConnectAsync(
        TransportChannel channel, SslClientAuthenticationOptions options, ClusterSnapshot cluster, CancellationToken timeout, CancellationToken cancellationToken)
    {
        var stream = new SecureStream(channel.Stream);
        var stats = cluster.Stats.Tls;
        stats.Active.Increment();
        try
        {
            await stream.AuthenticateAsClientAsync(options, timeout).ConfigureAwait(false);
            stats.OnDone(stream);
            return (new TransportChannel(stream, new TlsControl(stream, channel.Control), stream.NegotiatedApplicationProtocol.ToString(), IsTls: true), ProxyError.None);
        }
        catch (Exception e) when (HandshakeFailure.Is(e))
        {
            stats.OnFailed(stream, e);
            var error = cancellationToken.IsCancellationRequested
                ? new ProxyError(ErrorCode.DownstreamReset, "the client went away while the upstream was being connected")
                : new ProxyError(ErrorCode.UpstreamTls, $"TLS handshake with an endpoint of cluster {cluster.Name} failed{Named(options)}: {HandshakeFailure.Explain(stream, e, cluster.ConnectTimeout)}");
            await stream.DisposeAsync().ConfigureAwait(false);
            return (null, error);
        }
        finally
        {
            stats.Active.Decrement();
        }
    }

    private (TlsClientContext?, ProxyError) Missing(string detail)
    {
        ByPolicy!.Missing.Increment();
        return (null, new ProxyError(ErrorCode.UpstreamTls, detail));
    }

    private static string Named(SslClientAuthenticationOptions options) => string.IsNullOrEmpty(options.TargetHost) ? "" : $" (server name {options.TargetHost})";

    private static string HostOf(string authority)
    {
        var colon = authority.LastIndexOf(':');
        var host = colon >= 0 && !authority.EndsWith(']') ? authority[..colon] : authority;
        return host.StartsWith('[') ? host.Trim('[', ']') : host;
    }
}
