using System;
using System.Collections.Generic;

namespace Postern.Xds.Discovery.Streams;

/// <summary>The subscriptions that share one stream; a stream of its own has one of them.</summary>
internal interface IMultiplexer : IAsyncDisposable
{
    ISubscription Subscribe(ResourceType type, IReadOnlyList<string> names, IResourceSink sink, TimeSpan? fetchTimeout);

    void Remove(Watch watch);

    SubscriptionStatus StatusOf(Watch watch);

    IReadOnlyList<SubscriptionStatus> ReadStatus();

    /// <summary>There may be something to send.</summary>
    void Wake();
}
