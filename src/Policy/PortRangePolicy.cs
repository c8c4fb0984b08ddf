namespace Postern.Policy;

/// <summary>A range of ports and its rules, as cut from the configuration.</summary>
/// <param name="Start">First port; 0 is the wildcard entry.</param>
/// <param name="End">Last port, inclusive.</param>
/// <param name="Policy">The rules.</param>
public sealed record PortRangePolicy(ushort Start, ushort End, PortPolicy Policy);
