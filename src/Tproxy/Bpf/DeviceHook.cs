namespace Postern.Tproxy.Bpf;

/// <summary>Which way packets go through a device where a program hangs.</summary>
internal enum DeviceHook
{
    /// <summary>Into this host: postern_ingress.</summary>
    Ingress,

    /// <summary>Out of it: postern_guard.</summary>
    Egress,
}
