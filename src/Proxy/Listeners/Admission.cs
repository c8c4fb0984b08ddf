using System;
using System.IO;
using System.Net;
using System.Threading;
using Postern.Proxy.Overload;

namespace Postern.Proxy.Listeners;

/// <summary>
/// How many connections the process takes: in all, of one source, and while it is overloaded. Beyond that new ones are reset at once, which is cheaper for
/// everybody than to let them wait.
/// </summary>
/// <param name="maxConnections">In all.</param>
/// <param name="maxPerSource">Of one address; 0 for no bound.</param>
/// <param name="overload">What is shed.</param>
internal sealed class Admission(int maxConnections, int maxPerSource = 0, OverloadState? overload = null)
{
    private static readonly long DescriptorLimit = ReadDescriptorLimit();

    private readonly SourceCounts? sources = maxPerSource > 0 ? new SourceCounts(maxPerSource) : null;
    private int open;
    private long refused;
    private long refusedOfSource;
    private long refusedByOverload;

    public int MaxConnections { get; } = maxConnections;

    /// <summary>0 for no bound.</summary>
    public int MaxPerSource { get; } = maxPerSource;

    /// <summary>What the process sheds now.</summary>
    public OverloadState Overload { get; } = overload ?? OverloadState.Never;

    /// <summary>Open connections, also those still being looked at.</summary>
    public int Open => Volatile.Read(ref open);

    /// <summary>Sources that have open connections; 0 when nobody counts them.</summary>
    public int Sources => sources?.Count ?? 0;

    /// <summary>Connections refused so far because there were too many in all.</summary>
    public long Refused => Interlocked.Read(ref refused);

    /// <summary>Connections refused so far because their source had too many.</summary>
    public long RefusedOfSource => Interlocked.Read(ref refusedOfSource);

    /// <summary>Connections refused so far because the process was overloaded.</summary>
    public long RefusedByOverload => Interlocked.Read(ref refusedByOverload);

    /// <summary>
    /// How long a client connection may be idle before its upstream connection is closed, in milliseconds: Envoy's usual minute, but a second
    /// once descriptors could run out, because a kept upstream connection doubles what an idle client costs.
    /// </summary>
    public long UpstreamIdleMillis => Open > DescriptorLimit / 4 ? 1_000 : 60_000;

    /// <summary>Whether one more may come in; each <see cref="Admitted.Yes"/> needs one <see cref="Leave"/> with the same source.</summary>
    /// <param name="source">IPv4 as such, not mapped; null counts for no source.</param>
    public Admitted TryEnter(IPAddress? source = null)
    {
        if (Overload.RejectConnection)
        {
            Interlocked.Increment(ref refusedByOverload);
            return Admitted.Overloaded;
        }
        if (Interlocked.Increment(ref open) > MaxConnections)
        {
            Interlocked.Decrement(ref open);
            Interlocked.Increment(ref refused);
            return Admitted.TooMany;
        }
        if (sources is not null && source is not null && !sources.TryEnter(source))
        {
            Interlocked.Decrement(ref open);
            Interlocked.Increment(ref refusedOfSource);
            return Admitted.TooManyOfSource;
        }
        return Admitted.Yes;
    }

    /// <summary>One is gone.</summary>
    public void Leave(IPAddress? source)
    {
        Interlocked.Decrement(ref open);
        if (source is not null)
        {
            sources?.Leave(source);
        }
    }

    // "Max open files  1024  524288  files": the runtime raises the soft limit to the hard one at start.
    private static long ReadDescriptorLimit()
    {
        const long Unknown = 1024;
        try
        {
            foreach (var line in File.ReadLines("/proc/self/limits"))
            {
                if (line.StartsWith("Max open files", StringComparison.Ordinal))
                {
                    var fields = line["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
                    return long.TryParse(fields[0], out var limit) ? limit : long.MaxValue;
                }
            }
        }
        catch (IOException)
        {
        }
        return Unknown;
    }
}

/// <summary>Whether a connection may come in.</summary>
internal enum Admitted
{
    Yes,

    /// <summary><c>--max-connections</c>, or the bootstrap's bound.</summary>
    TooMany,

    /// <summary><c>--max-connections-per-source</c>.</summary>
    TooManyOfSource,

    /// <summary>The overload manager rejects it.</summary>
    Overloaded,
}
