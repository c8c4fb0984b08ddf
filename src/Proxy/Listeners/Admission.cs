using System;
using System.IO;
using System.Threading;

namespace Postern.Proxy.Listeners;

/// <summary>How many connections the process takes in all; beyond that new ones are reset at once, which is cheaper for everybody than to let them wait.</summary>
internal sealed class Admission(int maxConnections)
{
    private static readonly long DescriptorLimit = ReadDescriptorLimit();

    private int open;
    private long refused;

    public int MaxConnections { get; } = maxConnections;

    /// <summary>Open connections, also those still being looked at.</summary>
    public int Open => Volatile.Read(ref open);

    /// <summary>Connections refused so far.</summary>
    public long Refused => Interlocked.Read(ref refused);

    /// <summary>
    /// How long a client connection may be idle before its upstream connection is closed, in milliseconds: Envoy's usual minute, but a second
    /// once descriptors could run out, because a kept upstream connection doubles what an idle client costs.
    /// </summary>
    public long UpstreamIdleMillis => Open > DescriptorLimit / 4 ? 1_000 : 60_000;

    /// <summary>Whether one more may come in; each true needs one <see cref="Leave"/>.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref open) <= MaxConnections)
        {
            return true;
        }
        Interlocked.Decrement(ref open);
        Interlocked.Increment(ref refused);
        return false;
    }

    /// <summary>One is gone.</summary>
    public void Leave() => Interlocked.Decrement(ref open);

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
