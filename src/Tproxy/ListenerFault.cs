using System.Net;
using System.Net.Sockets;

namespace Postern.Tproxy;

/// <summary>Turns a failed step of making a listener into a line that tells the operator what to do.</summary>
internal static class ListenerFault
{
    internal const string TransparentStep = "set IP_TRANSPARENT on the listener";
    internal const string MarkStep = "set SO_MARK on the listener";

    internal const string CapabilityMend =
        "run as root, or give the service the capability (systemd: AmbientCapabilities=CAP_NET_ADMIN; Kubernetes: securityContext.capabilities.add [NET_ADMIN])";

    internal static TproxyException Describe(string step, ListenerSpec spec, SocketException error) => Describe(step, spec.Address, ProtocolType.Tcp, error);

    internal static TproxyException Describe(string step, IPEndPoint at, ProtocolType protocol, SocketException error)
    {
        var text = error.SocketErrorCode switch
        {
            SocketError.AccessDenied when step is TransparentStep or MarkStep =>
                $"cannot {step} {at}: the process lacks CAP_NET_ADMIN; {CapabilityMend}, or make this listener neither transparent nor marked",
            SocketError.AccessDenied =>
                $"cannot {step} {at}: ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE; give it, or choose a higher port",
            SocketError.AddressAlreadyInUse =>
                $"cannot {step} {at}: the port is in use by {PortHolder.Describe(at, protocol)}; stop it, or choose another port",
            SocketError.AddressNotAvailable =>
                $"cannot {step} {at}: {NotLocal(at.Address)}; bind an address of this host, or make the listener transparent",
            SocketError.AddressFamilyNotSupported =>
                $"cannot {step} {at}: the kernel has no {Family(at.Address)} (is it switched off at boot?); remove this listener",
            SocketError.TooManyOpenSockets =>
                $"cannot {step} {at}: out of file descriptors; raise the limit (ulimit -n, systemd LimitNOFILE)",
            _ => $"cannot {step} {at}: {error.Message} ({error.SocketErrorCode})",
        };
        return new TproxyException(text, error);
    }

    private static string NotLocal(IPAddress address) =>
        address.IsIPv6LinkLocal && address.ScopeId == 0
            ? "a link-local address needs its interface (fe80::1%eth0)"
            : "no interface of this host has that address";

    private static string Family(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 ? "IPv6" : "IPv4";
}
