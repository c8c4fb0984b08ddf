namespace Postern.Tproxy.Netlink;

/// <summary>A network device as rtnetlink tells it. Immutable, compared by value.</summary>
/// <param name="Index">Interface index, 1 and up.</param>
/// <param name="Name">Without control characters, which the kernel would allow.</param>
/// <param name="Kind"><c>veth</c>, <c>bridge</c>, <c>vlan</c> and so on; empty for hardware and lo.</param>
/// <param name="Master">Index of the device it is enslaved to.</param>
/// <param name="MasterKind">That device's kind: <c>bridge</c>, <c>bond</c>, <c>vrf</c>.</param>
/// <param name="IsUp">Set up by the administrator; says nothing about a carrier.</param>
/// <param name="IsLoopback">Whether it is lo.</param>
public sealed record NetworkDevice(int Index, string Name, string Kind, int? Master, string? MasterKind, bool IsUp, bool IsLoopback)
{
    /// <summary>
    /// Whether steering programs belong on it. Not on lo, where only the host's own traffic is. Not on ports of a bridge, a bond or a team: their master
    /// sees the same packets as its own. A VRF's slaves see them first, so they have the programs like any other.
    /// </summary>
    public bool BearsPrograms => !IsLoopback && MasterKind is not ("bridge" or "bond" or "team");
}
