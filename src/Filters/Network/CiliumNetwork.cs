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
    public static PolicyVerdict Judge(ConnectionMetadata metadata, PortPolicy port) =>
        WithTls(metadata, port, port.EvaluateNetwork(metadata.RemoteIdentity, metadata.Sni, metadata.ProxyId));

    /// <summary>Judges a connection whose bytes will pass unparsed: no rule may depend on what is inside.</summary>
    public static PolicyVerdict JudgeOpaque(ConnectionMetadata? metadata) =>
        metadata is null ? Judge(null) : JudgeOpaque(metadata, PortOf(metadata, metadata.Policy.Current.Policies));

    /// <summary>Judges the pod's side and, where <see cref="ConnectionMetadata.DestinationSide"/> asks for it, the destination's.</summary>
    /// <param name="metadata">Of the connection.</param>
    /// <param name="opaque">Whether its bytes pass unparsed.</param>
    /// <param name="policies">By which; null for those in force now.</param>
    public static SidedVerdict JudgeSides(ConnectionMetadata? metadata, bool opaque, PolicySnapshot? policies = null) => metadata is null
        ? new SidedVerdict(Judge(null), null)
        : JudgeSides(metadata, opaque, SidedPorts.Of(metadata, policies ?? metadata.Policy.Current.Policies));

    /// <summary>The same with the rules of both sides at hand.</summary>
    public static SidedVerdict JudgeSides(ConnectionMetadata metadata, bool opaque, SidedPorts ports)
    {
        var verdict = opaque ? JudgeOpaque(metadata, ports.Pod) : Judge(metadata, ports.Pod);
        if (!verdict.IsAllowed || ports.Destination is not { } rules)
        {
            return new SidedVerdict(verdict, metadata);
        }
        var side = metadata.DestinationSide!;
        var other = opaque ? JudgeOpaque(side, rules) : Judge(side, rules);
        return other.IsAllowed ? new SidedVerdict(verdict, metadata) : new SidedVerdict(other, side);
    }

    /// <summary>The rules for this connection's pod, direction and port in <paramref name="policies"/>.</summary>
    public static PortPolicy PortOf(ConnectionMetadata metadata, PolicySnapshot policies) =>
        policies.FindEndpoint(metadata.PodAddress)?.FindPort(metadata.Direction, metadata.PolicyPort) ?? PortPolicy.NoPolicy;

    /// <summary>The same with the rules at hand.</summary>
    public static PolicyVerdict JudgeOpaque(ConnectionMetadata metadata, PortPolicy port) =>
        WithTls(metadata, port, port.EvaluateOpaque(metadata.RemoteIdentity, metadata.Sni, metadata.ProxyId));

    // A rule with a TLS context says: only encrypted, or only inspected. No chain can do either yet (docs/gaps.md), so the rule cannot be kept.
    private static PolicyVerdict WithTls(ConnectionMetadata metadata, PortPolicy port, PolicyVerdict verdict)
    {
        if (!verdict.IsAllowed)
        {
            return verdict;
        }
        var wanted = port.FindTlsContext(TlsSide.Downstream, metadata.RemoteIdentity, metadata.Sni, metadata.ProxyId).Outcome == TlsContextOutcome.Context
            || port.FindTlsContext(TlsSide.Upstream, metadata.RemoteIdentity, metadata.Sni, metadata.ProxyId).Outcome == TlsContextOutcome.Context;
        return wanted ? new PolicyVerdict(PolicyDecision.None, PolicyReason.TlsContextRequired, verdict.RuleName) : verdict;
    }
}
