using Postern.Policy;

namespace Postern.Filters.Network;

/// <summary>
/// <c>cilium.network</c>: may this identity talk to this port (with this server name) at all? A connection without metadata is refused:
/// upstream leaves that case to its filter manager, we do not.
/// </summary>
public static class CiliumNetwork
{
    /// <summary>Judges a connection against the policy in force now.</summary>
    public static PolicyVerdict Judge(ConnectionMetadata? metadata)
    {
        if (metadata is null)
        {
            return new PolicyVerdict(PolicyDecision.None, PolicyReason.NoPolicyForEndpoint, "");
        }
        return PortOf(metadata, metadata.Policy.Current.Policies).EvaluateNetwork(metadata.RemoteIdentity, metadata.Sni, metadata.ProxyId);
    }

    /// <summary>
    /// Judges a connection whose bytes will pass unparsed: as <see cref="Judge"/>, and besides no rule may depend on what is inside.
    /// </summary>
    public static PolicyVerdict JudgeOpaque(ConnectionMetadata? metadata)
    {
        var verdict = Judge(metadata);
        return verdict.IsAllowed
            ? PortOf(metadata!, metadata!.Policy.Current.Policies).EvaluateOpaque(metadata.RemoteIdentity, metadata.ProxyId)
            : verdict;
    }

    /// <summary>The rules for this connection's pod, direction and port in <paramref name="policies"/>.</summary>
    public static PortPolicy PortOf(ConnectionMetadata metadata, PolicySnapshot policies) =>
        policies.FindEndpoint(metadata.PodAddress)?.FindPort(metadata.Direction, metadata.PolicyPort) ?? PortPolicy.NoPolicy;
}
