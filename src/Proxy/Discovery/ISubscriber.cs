using System;
using System.Collections.Generic;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>How a sink gets its subscription: straight from the source, or with the last good state on disk in between.</summary>
internal interface ISubscriber
{
    /// <summary>Subscribes a sink to resources of its type.</summary>
    ISubscription Subscribe(ConfigSourceConfig source, IReadOnlyList<string> names, ResourceSink sink);

    /// <summary>See <see cref="IDiscovery.Pause"/>.</summary>
    IDisposable Pause(ResourceType type);
}
