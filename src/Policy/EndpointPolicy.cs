namespace Postern.Policy;

/// <summary>One endpoint's compiled policy.</summary>
public sealed class EndpointPolicy
{
    /// <summary>Resource name.</summary>
    public string Name => throw new System.NotImplementedException();

    /// <summary>Low 32 bits of endpoint_id, as used in marks.</summary>
    public uint EndpointId => throw new System.NotImplementedException();

    /// <summary>The compiled rules for a port; never null: a port that nothing covers gives an object that denies and says why.</summary>
    public PortPolicy FindPort(TrafficDirection direction, ushort port) => throw new System.NotImplementedException();
}
