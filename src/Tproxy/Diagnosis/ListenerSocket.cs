using System.Net;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Diagnosis;

/// <summary>A TCP socket that listens, or a UDP socket that is not connected, of any process of this network namespace.</summary>
/// <param name="Protocol">TCP or UDP.</param>
/// <param name="Local">Where it is bound.</param>
/// <param name="Uid">Its owner.</param>
/// <param name="Inode">As in <c>/proc/PID/fd</c>: <c>socket:[INODE]</c>.</param>
public sealed record ListenerSocket(SteeringProtocol Protocol, IPEndPoint Local, uint Uid, uint Inode)
{
    /// <summary>SO_MARK, or null where the kernel does not tell it (it does with CAP_NET_ADMIN).</summary>
    public uint? Mark { get; init; }

    /// <summary>IP_TRANSPARENT, or null where the kernel does not tell it (before 5.10).</summary>
    public bool? Transparent { get; init; }

    /// <summary>Name and pid of a process that has it, or null: nobody, or another user's.</summary>
    public string? Process { get; init; }
}
