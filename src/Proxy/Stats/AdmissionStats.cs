using System.Collections.Generic;
using Postern.Proxy.Listeners;

namespace Postern.Proxy.Stats;

/// <summary>Reads the process's connection limit.</summary>
internal sealed class AdmissionStats(Admission admission) : IStatsSource
{
    public void Read(List<StatSample> samples)
    {
        samples.Add(StatSample.Gauge("server.total_connections", admission.Open));
        samples.Add(StatSample.Gauge("postern.connections.limit", admission.MaxConnections));
        samples.Add(StatSample.Counter("postern.connections.refused", admission.Refused));
    }
}
