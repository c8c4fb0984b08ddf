using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Netlink;

/// <summary>The devices of the calling thread's network namespace, from the kernel itself: /sys may show another namespace's.</summary>
public static class NetworkDevices
{
    private const ushort Done = 3; // NLMSG_DONE
    private const ushort Error = 2; // NLMSG_ERROR
    private const ushort Interrupted = 0x10; // NLM_F_DUMP_INTR
    private const int Attempts = 8;

    /// <summary>By index.</summary>
    /// <exception cref="TproxyException">The kernel refuses, or answers what cannot be read.</exception>
    public static IReadOnlyList<NetworkDevice> Read()
    {
        for (uint attempt = 1; attempt <= Attempts; attempt++)
        {
            var found = new SortedDictionary<int, NetworkDevice>();
            if (TryDump(attempt, found) || attempt == Attempts)
            {
                return WithMasterKinds(found);
            }
        }

        return [];
    }

    /// <summary>False if devices changed meanwhile, so that one may be missing.</summary>
    private static bool TryDump(uint sequence, SortedDictionary<int, NetworkDevice> found)
    {
        using var socket = new NetlinkSocket(groups: 0);
        Span<byte> request = stackalloc byte[32]; // struct nlmsghdr and struct ifinfomsg
        request.Clear();
        MemoryMarshal.Write(request, (uint)request.Length);
        MemoryMarshal.Write(request[4..], (ushort)18); // RTM_GETLINK
        MemoryMarshal.Write(request[6..], (ushort)0x301); // NLM_F_REQUEST | NLM_F_DUMP
        MemoryMarshal.Write(request[8..], sequence);
        socket.Send(request);

        var buffer = new byte[NetlinkSocket.BufferSize];
        var consistent = true;
        while (true)
        {
            var length = socket.Receive(buffer, ReceiveWait.ForOne);
            if (length < 0)
            {
                return false;
            }

            var reader = NetlinkReader.Messages(buffer.AsSpan(0, length));
            while (reader.Next())
            {
                consistent &= (reader.Flags & Interrupted) == 0;
                if (reader.Type == Done)
                {
                    return consistent;
                }

                if (reader.Type == Error || reader.Sequence != sequence)
                {
                    throw new TproxyException("the kernel refuses to list the network devices (RTM_GETLINK)");
                }

                if (LinkMessage.TryParse(reader.Type, reader.Payload, out var message, out var isOther))
                {
                    found[message.Device.Index] = message.Device;
                }
                else if (!isOther)
                {
                    throw Unreadable();
                }
            }

            if (reader.IsMalformed)
            {
                throw Unreadable();
            }
        }
    }

    // A kernel that does not tell what a device is a slave of still tells which one's.
    private static List<NetworkDevice> WithMasterKinds(SortedDictionary<int, NetworkDevice> found)
    {
        var devices = new List<NetworkDevice>(found.Count);
        foreach (var device in found.Values)
        {
            devices.Add(device is { Master: { } master, MasterKind: null } && found.TryGetValue(master, out var owner) ? device with { MasterKind = owner.Kind } : device);
        }

        return devices;
    }

    private static TproxyException Unreadable() => new("the kernel's list of network devices (RTM_GETLINK) cannot be read");
}
