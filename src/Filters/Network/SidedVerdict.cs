using Postern.Policy;

namespace Postern.Filters.Network;

/// <summary>A verdict and the side of the connection whose policy gave it.</summary>
/// <param name="Verdict">The first refusal, or the pod's own allowance.</param>
/// <param name="Side">Whose; null when the connection has no metadata.</param>
public readonly record struct SidedVerdict(PolicyVerdict Verdict, ConnectionMetadata? Side);
