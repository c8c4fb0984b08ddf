using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Bpf;

/// <summary>Which keys there are with a class, so that the program asks for no others.</summary>
internal struct ClassUse
{
    internal uint Roles;
    internal uint LengthsTcp;
    internal uint LengthsUdp;

    internal void Add(uint role, RuleCombination combination, byte portLength)
    {
        Roles |= role | (combination.Device != 0 ? SteeringLayout.RoleDevice : 0);
        if (combination.Protocol == SteeringProtocol.Tcp)
        {
            LengthsTcp |= 1u << portLength;
        }
        else
        {
            LengthsUdp |= 1u << portLength;
        }
    }
}
