using System;

namespace Postern.Netns.Fixture;

/// <summary>
/// client — node — server, the node routing between them, both IP versions:
/// <code>
/// client eth0 10.71.1.2/24, fd71:1::2/64 ── c0 10.71.1.1, fd71:1::1  node  s0 10.71.2.1, fd71:2::1 ── eth0 10.71.2.2/24, fd71:2::2/64 server
/// </code>
/// </summary>
public sealed class NodeTopology : IDisposable
{
    public const string ClientV4 = "10.71.1.2";
    public const string ClientV6 = "fd71:1::2";
    public const string NodeV4 = "10.71.1.1";
    public const string NodeV6 = "fd71:1::1";
    public const string ServerV4 = "10.71.2.2";
    public const string ServerV6 = "fd71:2::2";

    /// <summary>The node's link towards the client.</summary>
    public const string ClientSide = "c0";

    /// <summary>The node's link towards the server.</summary>
    public const string ServerSide = "s0";

    public NodeTopology()
    {
        Client = new NetworkNamespace("client");
        try
        {
            Node = new NetworkNamespace("node");
            Server = new NetworkNamespace("server");
            NetworkNamespace.Join(Client, "eth0", Node, ClientSide);
            NetworkNamespace.Join(Node, ServerSide, Server, "eth0");
            // Both ends of a link are up before there are addresses: without a carrier an IPv6 route is refused.
            Node.Ip([$"link set {ClientSide} up", $"link set {ServerSide} up"]);
            Client.Ip(["link set eth0 up", .. Addresses("eth0", ClientV4 + "/24", ClientV6 + "/64"), .. Routes(NodeV4, NodeV6)]);
            Server.Ip(["link set eth0 up", .. Addresses("eth0", ServerV4 + "/24", ServerV6 + "/64"), .. Routes("10.71.2.1", "fd71:2::1")]);
            Node.Ip([.. Addresses(ClientSide, NodeV4 + "/24", NodeV6 + "/64"), .. Addresses(ServerSide, "10.71.2.1/24", "fd71:2::1/64")]);
            Node.Sysctl("net.ipv4.ip_forward", "1");
            Node.Sysctl("net.ipv6.conf.all.forwarding", "1");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public NetworkNamespace Client { get; }

    public NetworkNamespace Node { get; } = null!;

    public NetworkNamespace Server { get; } = null!;

    public void Dispose()
    {
        Client.Dispose();
        Node?.Dispose();
        Server?.Dispose();
    }

    private static string[] Addresses(string link, string v4, string v6) => [NetworkNamespace.AddressCommand(link, v4), NetworkNamespace.AddressCommand(link, v6)];

    private static string[] Routes(string v4, string v6) => [NetworkNamespace.RouteCommand("default", v4), NetworkNamespace.RouteCommand("default", v6)];
}
