using Postern.Policy;

namespace Postern.Filters.Network;

/// <summary>
/// <c>cilium.network</c>: may this identity talk to this port (with this server name) at all? A connection without metadata is refused:
/// upstream leaves that case to its filter manager, we do not.
/// </summary>
public static class CiliumNetwork
{
    /// <summary>Judges a connection, whose requests will be judged one by one, against the policy in force now.</summary>
    public static PolicyVerdict Judge(ConnectionMetadata? metadata) => metadata is null
        ? new PolicyVerdict(PolicyDecision.None, PolicyReason.NoPolicyForEndpoint, "")
        : Judge(metadata, PortOf(metadata, metadata.Policy.Current.Policies));

    /// <summary>The same with the rules at hand.</summary>
    public static PolicyVerdict Judge(ConnectionMetadata metadata, PortPolicy port, TlsStance tls = default) =>
        WithTls(metadata, port, tls, port.EvaluateNetwork(metadata.RemoteIdentity, metadata.Sni, metadata.ProxyId));

    /// <summary>Judges a connection whose bytes will pass unparsed: no rule may depend on what is inside.</summary>
    public static PolicyVerdict JudgeOpaque(ConnectionMetadata? metadata) =>
        metadata is null ? Judge(null) : JudgeOpaque(metadata, PortOf(metadata, metadata.Policy.Current.Policies));

    /// <summary>Judges the pod's side and, where <see cref="ConnectionMetadata.DestinationSide"/> asks for it, the destination's.</summary>
    /// <param name="metadata">Of the connection.</param>
    /// <param name="opaque">Whether its bytes pass unparsed.</param>
    /// <param name="policies">By which; null for those in force now.</param>
    /// <param name="tls">Which of the TLS contexts that rules ask for it can have, beside those it has.</param>
    public static SidedVerdict JudgeSides(ConnectionMetadata? metadata, bool opaque, PolicySnapshot? policies = null, TlsStance tls = default) => metadata is null
        ? new SidedVerdict(Judge(null), null)
        : JudgeSides(metadata, opaque, SidedPorts.Of(metadata, policies ?? metadata.Policy.Current.Policies), tls);

    /// <summary>The same with the rules of both sides at hand.</summary>
    public static SidedVerdict JudgeSides(ConnectionMetadata metadata, bool opaque, SidedPorts ports, TlsStance tls = default)
    {
        var verdict = opaque ? JudgeOpaque(metadata, ports.Pod, tls) : Judge(metadata, ports.Pod, tls);
        if (!verdict.IsAllowed || ports.Destination is not { } rules)
        {
            return new SidedVerdict(verdict, metadata);
        }
        var side = metadata.DestinationSide!;
        // The contexts of a connection are those of the pod's side: what the other side's rules ask for nobody gives.
        var other = opaque ? JudgeOpaque(side, rules) : Judge(side, rules);
        return other.IsAllowed ? new SidedVerdict(verdict, metadata) : new SidedVerdict(other, side);
    }

    /// <summary>The rules for this connection's pod, direction and port in <paramref name="policies"/>.</summary>
    public static PortPolicy PortOf(ConnectionMetadata metadata, PolicySnapshot policies) =>
        policies.FindEndpoint(metadata.PodAddress)?.FindPort(metadata.Direction, metadata.PolicyPort) ?? PortPolicy.NoPolicy;

    /// <summary>The verdict on bytes that pass unparsed, with the rules at hand.</summary>
    public static PolicyVerdict JudgeOpaque(ConnectionMetadata metadata, PortPolicy port, TlsStance tls = default) =>
        WithTls(metadata, port, tls, port.EvaluateOpaque(metadata.RemoteIdentity, metadata.Sni, metadata.ProxyId));

    /// <summary>Whether rules ask for a TLS context on each leg.</summary>
    public static TlsStance WantedTls(ConnectionMetadata metadata, PortPolicy port) =>
        new(IsWanted(TlsSide.Downstream, metadata, port), IsWanted(TlsSide.Upstream, metadata, port));

    // A rule with a TLS context says: only encrypted, or only inspected. Where the connection cannot have it, the rule cannot be kept (docs/decisions/0007).
    private static PolicyVerdict WithTls(ConnectionMetadata metadata, PortPolicy port, TlsStance tls, PolicyVerdict verdict)
    {
        if (!verdict.IsAllowed)
        {
            return verdict;
        }
        var lacking = (!(tls.Downstream || metadata.Tls.Downstream) && IsWanted(TlsSide.Downstream, metadata, port))
            || (!(tls.Upstream || metadata.Tls.Upstream) && IsWanted(TlsSide.Upstream, metadata, port));
        return lacking ? new PolicyVerdict(PolicyDecision.None, PolicyReason.TlsContextRequired, verdict.RuleName) : verdict;
    }
    private static bool IsWanted(TlsSide side, ConnectionMetadata metadata, PortPolicy port) =>
        port.FindTlsContext(side, metadata.RemoteIdentity, metadata.Sni, metadata.ProxyId).Outcome == TlsContextOutcome.Context;
}
