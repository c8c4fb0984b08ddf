using System.Collections.Generic;

namespace Postern.Proxy.Stats;

/// <summary>Stats that are read where they are kept, when somebody asks. Must be quick, and must not throw.</summary>
internal interface IStatsSource
{
    /// <summary>Adds what is known now.</summary>
    void Read(List<StatSample> samples);
}
