using System.Threading;
using Postern.Xds.Config;

namespace Postern.Proxy.Overload;

/// <summary>A monitor under its name, and what it said last. A reading that fails leaves the last one in force.</summary>
internal sealed class WatchedResource(string name, IResourceMonitor monitor)
{
    private long failures;

    public string Name { get; } = name;

    /// <summary>As read last.</summary>
    public double Pressure { get; private set; }

    /// <summary>Readings that failed.</summary>
    public long Failures => Interlocked.Read(ref failures);

    /// <summary>Reads anew. The reason when that failed for the first time in a row, else null.</summary>
    public string? Refresh()
    {
        if (monitor.TryRead(out var pressure, out var problem))
        {
            Pressure = pressure;
            failing = false;
            return null;
        }
        Interlocked.Increment(ref failures);
        var isNews = !failing;
        failing = true;
        return isNews ? problem : null;
    }

    private bool failing;

    /// <summary>How much of an action this asks for: 0 to 1.</summary>
    public double AskedBy(OverloadTriggerConfig trigger) =>
        Pressure >= trigger.Saturation ? 1 : Pressure <= trigger.Scaling ? 0 : (Pressure - trigger.Scaling) / (trigger.Saturation - trigger.Scaling);
}
