using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;

namespace Postern.Tproxy;

/// <summary>
/// Tells apart steered connections from such as would make the proxy talk to itself. There are two ways into a loop: a client (or the proxy)
/// connects to the listener's own address, so that the "original destination" is the proxy; and an upstream address is one of the proxy's
/// listeners. Packets of the proxy that come by the steering again are no concern here: their mark exempts them in the rules.
/// Immutable: make a new one when listeners or the host's addresses change.
/// </summary>
public sealed class LoopGuard
{
    private readonly IPEndPoint[] listeners;
    private readonly HashSet<IPAddress> host;

    /// <param name="listeners">All bound listening addresses of this process.</param>
    /// <param name="hostAddresses">The addresses of this host's interfaces, see <see cref="HostAddresses"/>; 127.0.0.0/8 and ::1 need not be named.</param>
    public LoopGuard(IEnumerable<IPEndPoint> listeners, IEnumerable<IPAddress> hostAddresses)
    {
        ArgumentNullException.ThrowIfNull(listeners);
        ArgumentNullException.ThrowIfNull(hostAddresses);
        var normalised = new List<IPEndPoint>();
        foreach (var listener in listeners)
        {
            normalised.Add(SourceBinding.Normalise(listener));
        }

        this.listeners = normalised.ToArray();
        this.host = new HashSet<IPAddress>();
        foreach (var address in hostAddresses)
        {
            host.Add(Bare(address));
        }
    }

    /// <summary>
    /// Judges a connection accepted by the steered listener <paramref name="bound"/>. An original destination on another port or another
    /// host's address was steered; the listener's own address (for a wildcard: any address of this host on its port) was not.
    /// </summary>
    public LoopVerdict Accepted(IPEndPoint originalDestination, IPEndPoint bound)
    {
        var listener = SourceBinding.Normalise(bound);
        var target = SourceBinding.Normalise(originalDestination);
        return Reaches(target, listener) ? LoopVerdict.AddressedListener : LoopVerdict.Clear;
    }

    /// <summary>Judges where an upstream connection is about to go.</summary>
    public LoopVerdict Connecting(IPEndPoint destination)
    {
        var target = SourceBinding.Normalise(destination);
        foreach (var listener in listeners)
        {
            if (Reaches(target, listener))
            {
                return LoopVerdict.ConnectsToItself;
            }
        }

        return LoopVerdict.Clear;
    }

    /// <summary>Whether a socket bound to <paramref name="bound"/> answers for <paramref name="local"/>: same port, same or wildcard address.</summary>
    internal static bool Covers(IPEndPoint bound, IPEndPoint local) =>
        bound.Port == local.Port
        && bound.AddressFamily == local.AddressFamily
        && (IsAny(bound.Address) || Bare(bound.Address).Equals(Bare(local.Address)));

    private bool Reaches(IPEndPoint target, IPEndPoint listener)
    {
        if (target.Port != listener.Port || target.AddressFamily != listener.AddressFamily)
        {
            return false;
        }

        if (IsAny(listener.Address))
        {
            return IsHost(target.Address);
        }

        // Linux takes a connect to the unspecified address as one to loopback.
        return IsAny(target.Address)
            ? IPAddress.IsLoopback(listener.Address)
            : Bare(target.Address).Equals(Bare(listener.Address));
    }

    private bool IsHost(IPAddress address) => IsAny(address) || IPAddress.IsLoopback(address) || host.Contains(Bare(address));

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    /// <summary>Without mapping and scope, so that fe80::1%eth0 equals fe80::1: a false "loop" refuses, a missed one runs away.</summary>
    private static IPAddress Bare(IPAddress address)
    {
        var normal = SourceBinding.Normalise(address);
        return normal.AddressFamily == AddressFamily.InterNetworkV6 && normal.ScopeId != 0
            ? new IPAddress(normal.GetAddressBytes())
            : normal;
    }
}
