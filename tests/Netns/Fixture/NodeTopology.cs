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
            NetworkNamespace.Connect(Client, "eth0", Node, ClientSide);
            NetworkNamespace.Connect(Node, ServerSide, Server, "eth0");
            Address(Client, "eth0", ClientV4 + "/24", ClientV6 + "/64");
            Address(Node, ClientSide, NodeV4 + "/24", NodeV6 + "/64");
            Address(Node, ServerSide, "10.71.2.1/24", "fd71:2::1/64");
            Address(Server, "eth0", ServerV4 + "/24", ServerV6 + "/64");
            Client.AddRoute("default", NodeV4);
            Client.AddRoute("default", NodeV6);
            Server.AddRoute("default", "10.71.2.1");
            Server.AddRoute("default", "fd71:2::1");
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

    private static void Address(NetworkNamespace where, string link, string v4, string v6)
    {
        where.AddAddress(link, v4);
        where.AddAddress(link, v6);
    }
}
