using System;
using System.Runtime.InteropServices;
using Postern.Tproxy.Native;

namespace Postern.Tproxy.Udp;

/// <summary>
/// Reads the control messages of a received datagram (cmsg(3)): each is a struct cmsghdr (length with the header, level, type), its data, and
/// padding to the size of a pointer. Strict: what does not fit is refused whole, since a wrong destination is worse than none.
/// </summary>
internal static class ControlMessages
{
    internal static readonly int HeaderSize = nint.Size + 8;

    internal static int Align(int length) => (length + nint.Size - 1) & -nint.Size;

    /// <summary>Whether the messages are well formed and hold the original destination exactly once.</summary>
    /// <param name="messages">What the kernel wrote.</param>
    /// <param name="destination">Where the client sent the datagram.</param>
    /// <param name="drops">What the socket's full queue has lost so far, modulo 2^32; null if the kernel did not say (it does not while that is 0).</param>
    internal static bool TryRead(ReadOnlySpan<byte> messages, out DatagramAddress destination, out uint? drops)
    {
        destination = default;
        drops = null;
        var found = false;
        while (messages.Length >= HeaderSize)
        {
            var length = MemoryMarshal.Read<nuint>(messages);
            if (length < (nuint)HeaderSize || length > (nuint)messages.Length)
            {
                destination = default;
                return false;
            }

            var level = MemoryMarshal.Read<int>(messages[nint.Size..]);
            var type = MemoryMarshal.Read<int>(messages[(nint.Size + 4)..]);
            var data = messages[HeaderSize..(int)length];
            if (level == SocketOption.SolSocket && type == SocketOption.SoReceiveQueueOverflow && data.Length == sizeof(uint))
            {
                drops = MemoryMarshal.Read<uint>(data);
            }
            else if (FamilyOf(level, type) is var family and not 0)
            {
                if (found || data.Length < sizeof(ushort) || MemoryMarshal.Read<ushort>(data) != family || !DatagramAddress.TryRead(data, out destination))
                {
                    destination = default;
                    return false;
                }

                found = true;
            }

            messages = messages[Math.Min(Align((int)length), messages.Length)..];
        }

        return found;
    }

    private static ushort FamilyOf(int level, int type) => (level, type) switch
    {
        (SocketOption.SolIp, SocketOption.IpOriginalDestination) => DatagramAddress.AfInet,
        (SocketOption.SolIpv6, SocketOption.Ipv6OriginalDestination) => DatagramAddress.AfInet6,
        _ => 0,
    };
}
