namespace Postern.Tproxy.Diagnosis;

/// <summary>Where the kernel would send a packet (<c>ip route get</c>), with all its rules and source checks.</summary>
/// <param name="Device">Out of which it goes; lo when it is delivered here.</param>
/// <param name="Type">1 unicast, 2 local.</param>
/// <param name="Table">Number of the routing table that decided; 254 is main.</param>
/// <param name="Refusal">The kernel's word when it takes no such packet, else null.</param>
public sealed record RouteAnswer(string Device, string Type, string Table, string? Refusal)
{
    /// <summary>Whether the local stack gets it.</summary>
    public bool IsLocal => Refusal is null && Type == "2";
}
