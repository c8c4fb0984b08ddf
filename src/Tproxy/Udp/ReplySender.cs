using System;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Postern.Tproxy.Native;

namespace Postern.Tproxy.Udp;

/// <summary>
/// Sends replies that bear the address and port the client had asked, whatever they are: a raw socket, the UDP header by hand. For any thread;
/// never waits. A reply that the way to the client drops later (a full queue of a device) counts as sent.
/// </summary>
public sealed unsafe class ReplySender : IDisposable
{
    private const int MtuInterface = 5; // IP_PMTUDISC_OMIT and IPV6_PMTUDISC_OMIT

    private readonly Socket _socket;

    private ReplySender(Socket socket) => _socket = socket;

    public AddressFamily Family => _socket.AddressFamily;

    public ReplyCounters Counters { get; } = new();

    internal Socket Socket => _socket;

    /// <exception cref="TproxyException">No capability, or no such address family.</exception>
    public static ReplySender Open(ReplySenderSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        if (spec.Family is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6))
        {
            throw new ArgumentException($"{spec.Family} has no UDP replies", nameof(spec));
        }

        var v6 = spec.Family == AddressFamily.InterNetworkV6;
        var step = "open a raw socket";
        Socket? socket = null;
        try
        {
            socket = new Socket(spec.Family, SocketType.Raw, ProtocolType.Udp);
            // A raw socket of UDP gets a copy of every UDP packet that this host takes. Bound to loopback it is spared those of the network,
            // steered ones too, and the filter drops the rest. The source address of replies comes by control message all the same.
            step = "filter the raw socket";
            DropFilter.Attach(socket);
            step = "set IP_TRANSPARENT on the raw socket";
            SocketOption.SetTransparent(socket);
            if (spec.Mark is { } mark)
            {
                step = "set SO_MARK on the raw socket";
                SocketOption.Set(socket, SocketOption.SolSocket, SocketOption.SoMark, unchecked((int)mark));
            }

            // "Packet too big" messages go to the reply's source, which is not this host, so they would never mend the path's MTU: packets are cut
            // to the interface's MTU and, over IPv4, routers may cut them further.
            step = "let routers fragment replies of the raw socket";
            SocketOption.Set(socket, v6 ? SocketOption.SolIpv6 : SocketOption.SolIp, v6 ? SocketOption.Ipv6MtuDiscover : SocketOption.IpMtuDiscover, MtuInterface);
            if (spec.SendBufferBytes > 0)
            {
                step = "set the send buffer of the raw socket";
                SocketBuffer.Set(socket, SocketOption.SoSendBufferForce, SocketOption.SoSendBuffer, spec.SendBufferBytes);
            }

            step = "bind the raw socket";
            socket.Bind(new IPEndPoint(v6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, 0));
            return new ReplySender(socket);
        }
        catch (SocketException error)
        {
            socket?.Dispose();
            throw Describe(step, v6 ? "IPv6" : "IPv4", error);
        }
    }

    /// <summary>Sends one reply at once, without copying it.</summary>
    /// <param name="source">The original destination, which the client must see as the sender.</param>
    /// <param name="client">The datagram's source.</param>
    /// <param name="payload">May be empty.</param>
    public ReplyFault Send(in DatagramAddress source, in DatagramAddress client, ReadOnlySpan<byte> payload)
    {
        var fault = ReplyPacket.Check(source, client, payload.Length, Family);
        if (fault == ReplyFault.None)
        {
            fault = SendChecked(source, client, payload);
        }

        Counters.Add(fault);
        return fault;
    }

    /// <summary>
    /// Sends what the batch holds, in order, and returns how many went out; <see cref="ReplyBatch.Outcome"/> tells of each. One that fails does not hold
    /// up the next, but once the send buffer is full the rest is not tried. The caller clears the batch.
    /// </summary>
    public int Send(ReplyBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Family != Family)
        {
            throw new ArgumentException($"a batch of {batch.Family} for a sender of {Family}", nameof(batch));
        }

        var sent = 0;
        var next = 0;
        while (next < batch.Count)
        {
            var took = Libc.SendMany(_socket.SafeHandle, batch.From(next), (uint)(batch.Count - next), Libc.MessageDontWait);
            if (took > 0)
            {
                // Fewer than asked: the kernel keeps the reason to itself and gives it when that one is tried again.
                sent += took;
                next += took;
                continue;
            }

            var error = Marshal.GetLastPInvokeError();
            if (error == Libc.ErrorInterrupted)
            {
                continue;
            }

            var fault = ReplyPacket.FaultOf(error);
            var until = fault == ReplyFault.BufferFull ? batch.Count : next + 1;
            Counters.Add(fault, until - next);
            for (; next < until; next++)
            {
                batch.Fail(next, fault);
            }
        }

        Counters.Add(ReplyFault.None, sent);
        return sent;
    }

    public void Dispose() => _socket.Dispose();

    private ReplyFault SendChecked(in DatagramAddress source, in DatagramAddress client, ReadOnlySpan<byte> payload)
    {
        var header = stackalloc byte[ReplyPacket.HeaderBytes];
        var name = stackalloc byte[ReplyPacket.NameBytes];
        var control = stackalloc long[ReplyPacket.ControlBytes / sizeof(long)];
        ReplyPacket.WriteHeader(new Span<byte>(header, ReplyPacket.HeaderBytes), source, client, payload);
        fixed (byte* start = payload)
        {
            var vectors = stackalloc IoVector[2];
            vectors[0] = new IoVector { Start = header, Length = ReplyPacket.HeaderBytes };
            vectors[1] = new IoVector { Start = start, Length = (nuint)payload.Length };
            var message = new MessageHeader
            {
                Name = name,
                NameLength = (uint)client.WriteSockAddr(new Span<byte>(name, ReplyPacket.NameBytes)),
                Vectors = vectors,
                VectorCount = 2,
                Control = (byte*)control,
                ControlLength = (nuint)ReplyPacket.WriteControl(new Span<byte>(control, ReplyPacket.ControlBytes), source),
            };
            while (Libc.Send(_socket.SafeHandle, &message, Libc.MessageDontWait) < 0)
            {
                var error = Marshal.GetLastPInvokeError();
                if (error != Libc.ErrorInterrupted)
                {
                    return ReplyPacket.FaultOf(error);
                }
            }

            return ReplyFault.None;
        }
    }

    private static TproxyException Describe(string step, string family, SocketException error)
    {
        var mend = error.SocketErrorCode switch
        {
            SocketError.AccessDenied =>
                "UDP replies from the original destination need CAP_NET_RAW besides CAP_NET_ADMIN; run as root, or give the service both (systemd: AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW; Kubernetes: securityContext.capabilities.add [NET_ADMIN, NET_RAW])",
            SocketError.AddressFamilyNotSupported => $"the kernel has no {family} (is it switched off at boot?); remove the {family} UDP listener",
            SocketError.TooManyOpenSockets => "out of file descriptors; raise the limit (ulimit -n, systemd LimitNOFILE)",
            _ => $"{error.Message} ({error.SocketErrorCode})",
        };
        return new TproxyException($"cannot {step} for {family} UDP replies: {mend}", error);
    }
}
