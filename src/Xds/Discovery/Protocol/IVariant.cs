using System;
using System.Buffers;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>What the two forms of the protocol differ in, besides the state of a type.</summary>
internal interface IVariant<TRequest, TResponse>
    where TRequest : class
{
    /// <summary>Of <see cref="ResourceType.AggregatedService"/>.</summary>
    string AggregatedMethod { get; }

    string Method(ResourceType type);

    TypeState<TRequest, TResponse> Create(ResourceType type);

    /// <summary>What reads the responses of one multiplexer.</summary>
    Func<ReadOnlySequence<byte>, TResponse> CreateReader();

    void SetNode(TRequest request, Envoy.Config.Core.V3.Node node);

    string TypeUrlOf(TResponse response);

    string NonceOf(TResponse response);
}
