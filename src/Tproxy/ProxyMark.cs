using System;

namespace Postern.Tproxy;

/// <summary>
/// The packet mark as Cilium lays it out (32 bits):
/// bits 31–16 the low 16 bits of the identity or the endpoint id, bits 15–12 Kubernetes' own, bits 11–8 the magic, bits 7–0 bits 16–23 of the identity.
/// </summary>
public static class ProxyMark
{
    /// <summary>The bits of the magic. All rules of ours match and set these bits only, so that Kubernetes' bits survive.</summary>
    public const uint MagicMask = 0x0F00;

    /// <summary>Packets the local stack must take, whatever address they bear.</summary>
    public const uint ToProxy = 0x0200;

    /// <summary>The source endpoint's egress policy is to be looked at again by the datapath; bits 31–16 are its endpoint id.</summary>
    public const uint EgressEndpoint = 0x0900;

    public const uint Ingress = 0x0A00;

    public const uint Egress = 0x0B00;

    /// <summary>With <see cref="FromProxyMask"/>: matches <see cref="Ingress"/> and <see cref="Egress"/>, that is everything the proxy itself sends.</summary>
    public const uint FromProxy = 0x0A00;

    public const uint FromProxyMask = 0x0E00;

    /// <summary>The largest identity a mark can carry. Node-local identities (CIDR, bit 24 and up) do not fit.</summary>
    public const uint LargestIdentity = 0x00FF_FFFF;

    /// <summary>The mark of a listener and of what is accepted from it: the magic alone, identity 0.</summary>
    public static uint Listener(ProxyDirection direction) => Magic(direction);

    /// <summary>
    /// The mark of an upstream connection made for <paramref name="identity"/>. Bits above <see cref="LargestIdentity"/> are cut off, as
    /// the datapath does: ask <see cref="Carries"/> first, since a node-local identity cut to 24 bits can look like a reserved one.
    /// </summary>
    public static uint For(ProxyDirection direction, uint identity) =>
        Magic(direction) | ((identity & 0xFFFF) << 16) | ((identity >> 16) & 0xFF);

    /// <summary>Whether <see cref="For"/> keeps the whole identity.</summary>
    public static bool Carries(uint identity) => identity <= LargestIdentity;

    /// <summary>The mark of an east-west load-balanced upstream connection.</summary>
    public static uint ForEndpoint(ushort endpointId) => EgressEndpoint | ((uint)endpointId << 16);

    /// <summary>The identity in a mark made by <see cref="For"/>.</summary>
    public static uint IdentityOf(uint mark) => (mark >> 16) | ((mark & 0xFF) << 16);

    private static uint Magic(ProxyDirection direction) => direction switch
    {
        ProxyDirection.Ingress => Ingress,
        ProxyDirection.Egress => Egress,
        _ => throw new ArgumentOutOfRangeException(nameof(direction), direction, "a direction is Ingress or Egress"),
    };
}
