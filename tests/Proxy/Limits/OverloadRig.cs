using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Proxy.Overload;
using Postern.Proxy.Stats;
using Postern.Tests.Proxy.Discovery;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Limits;

/// <summary>An overload manager with one injected resource, <c>test</c>, and a clock of the test's.</summary>
internal sealed class OverloadRig : IDisposable
{
    public const string Resource = "test";

    private readonly string file = Path.GetTempFileName();
    private readonly FakeClock clock = new();
    private readonly OverloadManager manager;

    public OverloadRig(params OverloadActionConfig[] actions)
    {
        var config = new OverloadConfig { Monitors = [new ResourceMonitorConfig(Resource, ResourceKind.Injected, 0, file)], Actions = [.. actions] };
        manager = new OverloadManager(config, monitor => new InjectedMonitor(monitor.FileName), State, clock, () => Shrinks++, NullLogger.Instance);
    }

    public OverloadState State { get; } = new();

    public int Shrinks { get; private set; }

    public static OverloadActionConfig At(OverloadActionKind kind, double scaling, double? saturation = null) =>
        new(kind, [new OverloadTriggerConfig(Resource, scaling, saturation ?? scaling)]);

    /// <summary>The file says so, and an interval passes.</summary>
    public void Pressure(double value) => Says(value.ToString(CultureInfo.InvariantCulture));

    public void Says(string text, double seconds = 1)
    {
        File.WriteAllText(file, text);
        clock.Advance(TimeSpan.FromSeconds(seconds));
    }

    public long Value(string name)
    {
        var samples = new List<StatSample>();
        manager.Read(samples);
        return samples.Single(sample => sample.Name.Dotted == name).Value;
    }

    public void Dispose()
    {
        manager.Dispose();
        File.Delete(file);
    }
}
