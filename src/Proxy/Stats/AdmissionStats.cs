using System.Collections.Generic;
using Postern.Proxy.Listeners;

namespace Postern.Proxy.Stats;

/// <summary>Reads the process's connection limits.</summary>
internal sealed class AdmissionStats(Admission admission) : IStatsSource
{
    public void Read(List<StatSample> samples)
    {
        samples.Add(StatSample.Gauge("server.total_connections", admission.Open));
        samples.Add(StatSample.Gauge("postern.connections.limit", admission.MaxConnections));
        samples.Add(StatSample.Gauge("postern.connections.limit_per_source", admission.MaxPerSource));
        samples.Add(StatSample.Gauge("postern.connections.sources", admission.Sources));
        samples.Add(StatSample.Counter("postern.connections.refused", admission.Refused));
        samples.Add(StatSample.Counter("postern.connections.refused_of_source", admission.RefusedOfSource));
        samples.Add(StatSample.Counter("postern.connections.refused_by_overload", admission.RefusedByOverload));
    }
}
