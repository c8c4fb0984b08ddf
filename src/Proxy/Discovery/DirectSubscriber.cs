using System;
using System.Collections.Generic;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>Subscribes without any state on disk.</summary>
internal sealed class DirectSubscriber(IDiscovery discovery) : ISubscriber
{
    public ISubscription Subscribe(ConfigSourceConfig source, IReadOnlyList<string> names, ResourceSink sink) =>
        discovery.Subscribe(sink.Type, source, names, sink);

    public IDisposable Pause(ResourceType type) => discovery.Pause(type);
}
