using System;

namespace Postern.Xds.Discovery.Streams;

/// <summary>What all streams of a client share.</summary>
internal sealed record ClientContext(DiscoveryClientOptions Options, ConfigurationWorker Worker, Func<ResourceType, bool> IsPaused)
{
    public DateTimeOffset Now => Options.Time.GetUtcNow();
}
