using System;
using System.Net;
using System.Net.Sockets;
using Envoy.Config.Core.V3;
using Postern.Grpc;

namespace Postern.Agent.Serve;

/// <summary>A proxy as it names itself: <c>host~127.0.0.1~no-id~localdomain</c>. Its IP is the key of ACKs.</summary>
/// <param name="Text">Whole <c>node.id</c>.</param>
/// <param name="Address">Second part.</param>
internal sealed record NodeId(string Text, IPAddress Address)
{
    private const int LongestId = 512;

    /// <summary>From the first request of a stream.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    public static NodeId Parse(Node? node)
    {
        if (node is null)
        {
            throw Protocol.Error("the first request of a stream needs a node");
        }
        if (node.Id.Length > LongestId)
        {
            throw Protocol.Error($"node.id has {node.Id.Length} characters, at most {LongestId}");
        }
        var parts = node.Id.Split('~');
        if (parts.Length != 4)
        {
            throw Protocol.Error($"node.id \"{node.Id}\" has {parts.Length} parts, needed are four: host~127.0.0.1~no-id~localdomain");
        }
        return IPAddress.TryParse(parts[1], out var address) && IsWhole(parts[1], address)
            ? new NodeId(node.Id, address)
            : throw Protocol.Error($"node.id \"{node.Id}\": the second part is not an IP address");
    }

    // inet_aton also reads "1" and "127.1".
    private static bool IsWhole(string text, IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 || text == address.ToString();
}
