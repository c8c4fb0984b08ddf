namespace Postern.Tproxy.Steering;

/// <summary>What a steering rule is about. The numbers are IANA's protocol numbers.</summary>
public enum SteeringProtocol
{
    Tcp = 6,
    Udp = 17,
}
