using System;
using System.Collections.Generic;
using Postern.Xds.Discovery.Protocol;

namespace Postern.Xds.Discovery.Streams;

/// <summary>State of one subscription on a stream, guarded by the lock of its multiplexer.</summary>
internal sealed class Watch(IMultiplexer owner, ResourceType type, IReadOnlyList<string> names, IResourceSink sink, TimeSpan? fetchTimeout) : ISubscription
{
    private int disposed;

    public ResourceType Type => type;

    /// <summary>Empty: the wildcard.</summary>
    public IReadOnlyList<string> Names => names;

    public bool IsWildcard => names.Count == 0;

    /// <summary>The names as the protocol knows them.</summary>
    public IReadOnlyList<string> Interests { get; } = names.Count == 0 ? [Interest.Wildcard] : names;

    public IResourceSink Sink => sink;

    public FetchDeadlines Fetch { get; } = new(names.Count == 0 ? [Interest.Wildcard] : names, fetchTimeout);

    public long FetchTimeouts { get; set; }

    /// <summary>No update goes to the sink any more.</summary>
    public bool IsClosed { get; set; }

    /// <inheritdoc/>
    public SubscriptionStatus Status => owner.StatusOf(this);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (System.Threading.Interlocked.Exchange(ref disposed, 1) == 0)
        {
            owner.Remove(this);
        }
    }
}
