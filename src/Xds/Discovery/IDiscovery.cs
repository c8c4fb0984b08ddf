using System;
using System.Collections.Generic;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Config;

namespace Postern.Xds.Discovery;

/// <summary>
/// Subscriptions to resources, whatever carries them: a file, a gRPC stream of their own, the aggregated stream. After the bytes all of them
/// are alike. Thread-safe.
/// </summary>
public interface IDiscovery : IAsyncDisposable
{
    /// <summary>Subscribes and begins to fetch at once.</summary>
    /// <param name="type">What.</param>
    /// <param name="source">From where.</param>
    /// <param name="names">Resource names; empty is the wildcard. A SotW source that is not aggregated takes one name per subscription.</param>
    /// <param name="sink">Takes the updates.</param>
    ISubscription Subscribe(ResourceType type, ConfigSourceConfig source, IReadOnlyList<string> names, IResourceSink sink);

    /// <summary>
    /// Holds back requests of a type on aggregated streams until disposed, so that names that belong together go out in one request. Nests.
    /// </summary>
    IDisposable Pause(ResourceType type);

    /// <summary>All subscriptions.</summary>
    IReadOnlyList<SubscriptionStatus> ReadStatus();
}

/// <summary>An open subscription; disposing ends it and tells the control plane where the protocol can.</summary>
public interface ISubscription : IDisposable
{
    /// <summary>Now.</summary>
    SubscriptionStatus Status { get; }
}

/// <summary>Turns an <c>Any</c> into a validated record.</summary>
public interface IResourceDecoder
{
    /// <summary>Decodes one resource.</summary>
    /// <param name="type">What it must be.</param>
    /// <param name="resource">Unwrapped.</param>
    /// <param name="wrapperName">Name in the <c>Resource</c> wrapper, or empty.</param>
    /// <exception cref="XdsConfigException">Refused; the message names path, value, rule and mend.</exception>
    DecodedResource Decode(ResourceType type, Any resource, string wrapperName);
}

/// <summary>What came of it.</summary>
/// <param name="Name">The resource's own name, or the wrapper's for types without one.</param>
/// <param name="Config">See <see cref="DiscoveredResource"/>.</param>
/// <param name="Warnings">One line each: fields that are not known and were passed over.</param>
public sealed record DecodedResource(string Name, object Config, IReadOnlyList<string> Warnings);
