namespace Postern.Tproxy.Steering;

/// <summary>How eBPF programs are hung on devices.</summary>
public enum AttachMode
{
    /// <summary><see cref="Tcx"/> where the kernel has it (6.6), else <see cref="Clsact"/>.</summary>
    Automatic = 0,

    /// <summary>A link in front of all others of the device; it goes with the device.</summary>
    Tcx = 1,

    /// <summary>A filter of the clsact qdisc.</summary>
    Clsact = 2,
}
