using System;
using System.Runtime.InteropServices;
using System.Text;

namespace Postern.Tproxy.Netlink;

/// <summary>RTM_NEWLINK or RTM_DELLINK (rtnetlink(7)) as bytes. No I/O.</summary>
/// <param name="IsGone">The device is no more, or not in this namespace.</param>
/// <param name="Device">As it is, or was.</param>
internal readonly record struct LinkMessage(bool IsGone, NetworkDevice Device)
{
    internal const ushort NewLink = 16;
    internal const ushort DeleteLink = 17;

    private const int Header = 16; // struct ifinfomsg
    private const uint FlagUp = 1; // IFF_UP
    private const uint FlagLoopback = 8; // IFF_LOOPBACK
    private const ushort NameAttribute = 3; // IFLA_IFNAME
    private const ushort MasterAttribute = 10; // IFLA_MASTER
    private const ushort InfoAttribute = 18; // IFLA_LINKINFO
    private const ushort KindAttribute = 1; // IFLA_INFO_KIND
    private const ushort SlaveKindAttribute = 4; // IFLA_INFO_SLAVE_KIND
    private const int NameSize = 16; // IFNAMSIZ

    /// <summary>
    /// False if the bytes are not such a message, whole. Also false, with <paramref name="isOther"/>, for a message of another address family: that a device
    /// leaves a bridge is told by an RTM_DELLINK of AF_BRIDGE, and the device is still there.
    /// </summary>
    /// <param name="type">Of the message.</param>
    /// <param name="payload">What follows struct nlmsghdr.</param>
    /// <param name="message">What it says.</param>
    /// <param name="isOther">Well-formed as far as was looked, but of no concern.</param>
    internal static bool TryParse(ushort type, ReadOnlySpan<byte> payload, out LinkMessage message, out bool isOther)
    {
        message = default;
        isOther = type is not (NewLink or DeleteLink) || (payload.Length >= Header && payload[0] != 0);
        if (isOther || payload.Length < Header)
        {
            return false;
        }

        var index = MemoryMarshal.Read<int>(payload[4..]);
        var flags = MemoryMarshal.Read<uint>(payload[8..]);
        string? name = null;
        int? master = null;
        string kind = string.Empty;
        string? masterKind = null;
        var attributes = NetlinkReader.Attributes(payload[Header..]);
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case NameAttribute:
                    name = Text(attributes.Payload, NameSize);
                    if (string.IsNullOrEmpty(name))
                    {
                        return false;
                    }

                    break;
                case MasterAttribute:
                    if (attributes.Payload.Length != sizeof(int))
                    {
                        return false;
                    }

                    master = MemoryMarshal.Read<int>(attributes.Payload) is > 0 and var at ? at : null;
                    break;
                case InfoAttribute:
                    if (!TryReadKinds(attributes.Payload, ref kind, ref masterKind))
                    {
                        return false;
                    }

                    break;
            }
        }

        if (attributes.IsMalformed || index <= 0 || name is null)
        {
            return false;
        }

        var device = new NetworkDevice(index, name, kind, master, master is null ? null : masterKind, (flags & FlagUp) != 0, (flags & FlagLoopback) != 0);
        message = new LinkMessage(type == DeleteLink, device);
        return true;
    }

    private static bool TryReadKinds(ReadOnlySpan<byte> bytes, ref string kind, ref string? masterKind)
    {
        var attributes = NetlinkReader.Attributes(bytes);
        while (attributes.Next())
        {
            if (attributes.Type is KindAttribute or SlaveKindAttribute)
            {
                if (Text(attributes.Payload, 64) is not { } text)
                {
                    return false;
                }

                if (attributes.Type == KindAttribute)
                {
                    kind = text;
                }
                else
                {
                    masterKind = text;
                }
            }
        }

        return !attributes.IsMalformed;
    }

    /// <summary>A string that ends with its only zero, of at most <paramref name="size"/> bytes; null if it does not. Control characters become '?'.</summary>
    private static string? Text(ReadOnlySpan<byte> bytes, int size)
    {
        if (bytes.Length == 0 || bytes.Length > size || bytes.IndexOf((byte)0) != bytes.Length - 1)
        {
            return null;
        }

        return string.Create(Encoding.UTF8.GetCharCount(bytes[..^1]), bytes[..^1], static (chars, source) =>
        {
            Encoding.UTF8.GetChars(source, chars);
            foreach (ref var one in chars)
            {
                one = char.IsControl(one) ? '?' : one;
            }
        });
    }
}
