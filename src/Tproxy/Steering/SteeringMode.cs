namespace Postern.Tproxy.Steering;

/// <summary>By what the kernel is told to steer.</summary>
public enum SteeringMode
{
    /// <summary><see cref="Ebpf"/> where the kernel can, else <see cref="Iptables"/>; the log says which and why.</summary>
    Auto = 0,

    /// <summary>Programs at the devices (tcx or clsact) that assign sockets.</summary>
    Ebpf = 1,

    /// <summary>TPROXY rules in the mangle table.</summary>
    Iptables = 2,
}
