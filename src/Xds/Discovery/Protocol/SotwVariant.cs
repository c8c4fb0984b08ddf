using System;
using System.Buffers;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>State of the world.</summary>
internal sealed class SotwVariant : IVariant<DiscoveryRequest, DiscoveryResponse>
{
    public string AggregatedMethod => "StreamAggregatedResources";

    public string Method(ResourceType type) => type.StreamMethod;

    public TypeState<DiscoveryRequest, DiscoveryResponse> Create(ResourceType type) => new SotwState(type);

    public Func<ReadOnlySequence<byte>, DiscoveryResponse> CreateReader() => new SotwResponseReader().Read;

    public void SetNode(DiscoveryRequest request, Node node) => request.Node = node;

    public string TypeUrlOf(DiscoveryResponse response) => response.TypeUrl;

    public string NonceOf(DiscoveryResponse response) => response.Nonce;
}
