using System;
using System.Diagnostics.CodeAnalysis;

namespace Postern.Proxy.Overload;

/// <summary><c>cgroup_memory</c>: memory of the control group, of its bound or a lower one.</summary>
/// <param name="group">The one whose bound is met first; null where there are no control groups.</param>
/// <param name="maxBytes"><c>max_memory_bytes</c>; 0 takes the group's bound.</param>
internal sealed class CgroupMonitor(MemoryGroup? group, long maxBytes) : IResourceMonitor
{
    public bool TryRead(out double pressure, [NotNullWhen(false)] out string? problem)
    {
        pressure = 0;
        problem = null;
        if (group is null)
        {
            problem = "this process is in no memory control group (/proc/self/cgroup)";
            return false;
        }
        var bound = group.Limit is { } limit ? (maxBytes > 0 ? Math.Min(limit, maxBytes) : limit) : maxBytes;
        if (bound <= 0)
        {
            problem = "the control group has no memory bound; write max_memory_bytes";
        }
        else if (group.Used is { } used)
        {
            pressure = (double)used / bound;
        }
        else
        {
            problem = $"{group.Folder} cannot be read";
        }
        return problem is null;
    }
}
