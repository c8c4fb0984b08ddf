using System;
using System.Net;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Steering;

/// <summary>
/// Two pods at one node, as <see cref="NodeTopology"/> has them, and a host elsewhere, behind a gateway. One for all tests of a class:
/// <code>
/// client ── c0 node s0 ── server
///              u0 10.71.3.1, fd71:3::1 ── eth0 10.71.3.2, fd71:3::2 gateway, which is 10.71.9.2 and fd71:9::2
/// </code>
/// </summary>
public sealed class Stage : IDisposable
{
    internal const string ElsewhereV4 = "10.71.9.2";
    internal const string ElsewhereV6 = "fd71:9::2";

    public Stage()
    {
        Net = new NodeTopology();
        try
        {
            Elsewhere = new NetworkNamespace("elsewhere");
            NetworkNamespace.Connect(Net.Node, "u0", Elsewhere, "eth0");
            foreach (var (near, far, host, net) in new[] { ("10.71.3.1", "10.71.3.2", ElsewhereV4 + "/32", "10.71.9.0/24"), ("fd71:3::1", "fd71:3::2", ElsewhereV6 + "/128", "fd71:9::/64") })
            {
                var length = near.Contains(':', StringComparison.Ordinal) ? "/64" : "/24";
                Net.Node.AddAddress("u0", near + length);
                Elsewhere.AddAddress("eth0", far + length);
                Elsewhere.AddAddress("lo", host);
                Elsewhere.AddRoute("default", near);
                Net.Node.AddRoute(net, far);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal NodeTopology Net { get; }

    internal NetworkNamespace Elsewhere { get; } = null!;

    internal static IPAddress ClientAddress(bool v6) => IPAddress.Parse(v6 ? NodeTopology.ClientV6 : NodeTopology.ClientV4);

    /// <summary>A namespace with a server's address: the pod at the node, or the host elsewhere.</summary>
    internal (NetworkNamespace Where, IPAddress Address) Target(Place place, bool v6) => place == Place.Pod
        ? (Net.Server, IPAddress.Parse(v6 ? NodeTopology.ServerV6 : NodeTopology.ServerV4))
        : (Elsewhere, IPAddress.Parse(v6 ? ElsewhereV6 : ElsewhereV4));

    public void Dispose()
    {
        Elsewhere?.Dispose();
        Net.Dispose();
    }
}
