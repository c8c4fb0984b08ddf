using System;
using Postern.Xds.Config;

namespace Postern.Proxy.Discovery;

/// <summary>A listener's versions, owned by the <see cref="ListenerSink"/>: the one that is open and the one that shall be; at least one is there.</summary>
internal sealed class ListenerEntry
{
    public ListenerVersion? Open { get; set; }

    /// <summary>Warms, or could not be opened.</summary>
    public ListenerVersion? Next { get; set; }

    /// <summary>What the source said last.</summary>
    public ListenerVersion Newest => Next ?? Open ?? throw new InvalidOperationException("a listener without a version");

    /// <summary>What shall be open now, or null: nothing yet.</summary>
    public ListenerConfig? Wanted => Next is { IsWarm: true } ready ? ready.Config : Open?.Config;
}
