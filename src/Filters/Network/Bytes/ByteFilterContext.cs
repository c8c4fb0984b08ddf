using System;
using System.Net;

namespace Postern.Filters.Network.Bytes;

/// <summary>What the filters of one connection know of it, and what they tell about it.</summary>
public sealed class ByteFilterContext
{
    /// <summary>Null without <c>cilium.bpf_metadata</c>.</summary>
    public required ConnectionMetadata? Metadata { get; init; }

    /// <summary>Listener's name.</summary>
    public required string Listener { get; init; }

    /// <summary>The client.</summary>
    public required IPEndPoint Source { get; init; }

    /// <summary>Where the connection goes: its original destination, until a filter of a factory with <see cref="IByteFilterFactory.MovesDestination"/> says otherwise.</summary>
    public required IPEndPoint Destination { get; set; }

    /// <summary>Wall clock for records: nanoseconds since the Unix epoch.</summary>
    public required Func<ulong> UnixNanos { get; init; }
}
