using Postern.Policy;

namespace Postern.Filters.Network;

/// <summary>The rules that judge a connection. The same objects and the same identities give the same verdict.</summary>
/// <param name="Pod">Of the pod whose listener took the connection.</param>
/// <param name="Destination">Of the destination; null where nobody asks, or where it has no policy here.</param>
public readonly record struct SidedPorts(PortPolicy Pod, PortPolicy? Destination)
{
    /// <summary>Looks them up.</summary>
    public static SidedPorts Of(ConnectionMetadata metadata, PolicySnapshot policies) => new(
        CiliumNetwork.PortOf(metadata, policies),
        metadata.DestinationSide is { } side && policies.FindEndpoint(side.PodAddress) is { } endpoint ? endpoint.FindPort(side.Direction, side.PolicyPort) : null);

    /// <summary>Whether both are the same objects.</summary>
    public bool AreSame(SidedPorts other) => ReferenceEquals(Pod, other.Pod) && ReferenceEquals(Destination, other.Destination);
}
