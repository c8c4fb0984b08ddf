using System;
using System.Buffers;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>Incremental.</summary>
internal sealed class DeltaVariant : IVariant<DeltaDiscoveryRequest, DeltaDiscoveryResponse>
{
    public string AggregatedMethod => "DeltaAggregatedResources";

    public string Method(ResourceType type) => type.DeltaMethod;

    public TypeState<DeltaDiscoveryRequest, DeltaDiscoveryResponse> Create(ResourceType type) => new DeltaState(type);

    public Func<ReadOnlySequence<byte>, DeltaDiscoveryResponse> CreateReader() => DeltaDiscoveryResponse.Parser.ParseFrom;

    public void SetNode(DeltaDiscoveryRequest request, Node node) => request.Node = node;

    public string TypeUrlOf(DeltaDiscoveryResponse response) => response.TypeUrl;

    public string NonceOf(DeltaDiscoveryResponse response) => response.Nonce;
}
