using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Postern.Agent.Serve;
using Postern.Xds.Discovery;

namespace Postern.Tests.Agent.Serve;

/// <summary>A server, and what clients of it say.</summary>
internal static class World
{
    public const string NodeId = "host~127.0.0.1~no-id~localdomain";

    public static Node Node(string id = NodeId) => new() { Id = id };

    /// <summary>Resources with that content; the server does not look into them.</summary>
    public static Dictionary<string, Any> Set(ResourceType type, params string[] namesAndContents) =>
        namesAndContents.Select(text => text.Split('=')).ToDictionary(
            parts => parts[0],
            parts => new Any { TypeUrl = type.TypeUrl, Value = ByteString.CopyFromUtf8(parts.Length > 1 ? parts[1] : parts[0]) });

    public static ClientStream<DiscoveryRequest, DiscoveryResponse> Open(this ResourceServer server, ResourceType? type)
    {
        var stream = new ClientStream<DiscoveryRequest, DiscoveryResponse>();
        stream.Serve((requests, responses, token) => server.StreamAsync(type, requests, responses, token));
        return stream;
    }

    public static ClientStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse> OpenDelta(this ResourceServer server, ResourceType? type)
    {
        var stream = new ClientStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>();
        stream.Serve((requests, responses, token) => server.DeltaAsync(type, requests, responses, token));
        return stream;
    }

    public static DiscoveryRequest First(string version = "", params string[] names) =>
        new() { Node = Node(), VersionInfo = version, ResourceNames = { names } };

    public static DiscoveryRequest Ack(DiscoveryResponse response, params string[] names) =>
        new() { VersionInfo = response.VersionInfo, ResponseNonce = response.Nonce, TypeUrl = response.TypeUrl, ResourceNames = { names } };

    public static DiscoveryRequest Nack(DiscoveryResponse response, string accepted, string text) =>
        new() { VersionInfo = accepted, ResponseNonce = response.Nonce, TypeUrl = response.TypeUrl, ErrorDetail = new Status { Code = 13, Message = text } };

    public static IEnumerable<string> Contents(this DiscoveryResponse response) => response.Resources.Select(any => any.Value.ToStringUtf8()).Order();

    public static Task<AckResult> WaitAsync(this ResourceServer server, ResourceType type, ulong version) =>
        server.WaitForAckAsync(type, version, TimeSpan.FromSeconds(20), default);

    public static Task<AckResult> PeekAsync(this ResourceServer server, ResourceType type, ulong version) =>
        server.WaitForAckAsync(type, version, TimeSpan.Zero, default);
}
