using System;
using System.Diagnostics.CodeAnalysis;

namespace Postern.Proxy.Overload;

/// <summary>
/// <c>fixed_heap</c>: bytes on the managed heap, garbage that was not collected yet included, of a bound. What else the process holds (code, sockets) is not in
/// it: the control group's monitor counts that.
/// </summary>
internal sealed class HeapMonitor(long maxBytes) : IResourceMonitor
{
    public bool TryRead(out double pressure, [NotNullWhen(false)] out string? problem)
    {
        pressure = (double)GC.GetTotalMemory(forceFullCollection: false) / maxBytes;
        problem = null;
        return true;
    }
}
