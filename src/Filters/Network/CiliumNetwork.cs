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
    public static PolicyVerdict JudgeOpaque(ConnectionMetadata? metadata)
    {
        if (metadata is null)
        {
            return Judge(null);
        }
        var port = PortOf(metadata, metadata.Policy.Current.Policies);
        return WithTls(metadata, port, port.EvaluateOpaque(metadata.RemoteIdentity, metadata.Sni, metadata.ProxyId));
    }

    /// <summary>Judges the pod's side and, where <see cref="ConnectionMetadata.DestinationSide"/> asks for it, the destination's.</summary>
    /// <param name="metadata">Of the connection.</param>
    /// <param name="opaque">Whether its bytes pass unparsed.</param>
    public static SidedVerdict JudgeSides(ConnectionMetadata? metadata, bool opaque)
    {
        var verdict = opaque ? JudgeOpaque(metadata) : Judge(metadata);
        if (!verdict.IsAllowed || metadata?.DestinationSide is not { } side || metadata.Policy.Current.Policies.FindEndpoint(side.PodAddress) is null)
        {
            return new SidedVerdict(verdict, metadata);
        }
        var other = opaque ? JudgeOpaque(side) : Judge(side);
        return other.IsAllowed ? new SidedVerdict(verdict, metadata) : new SidedVerdict(other, side);
    }

    /// <summary>The rules for this connection's pod, direction and port in <paramref name="policies"/>.</summary>
    public static PortPolicy PortOf(ConnectionMetadata metadata, PolicySnapshot policies) =>
        policies.FindEndpoint(metadata.PodAddress)?.FindPort(metadata.Direction, metadata.PolicyPort) ?? PortPolicy.NoPolicy;

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
