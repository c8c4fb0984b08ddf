using Postern.Policy.Config;

namespace Postern.Policy.Compile;

/// <summary>One direction of an endpoint: disjoint port ranges in parallel arrays, found by binary search.</summary>
internal sealed class DirectionPolicy
{
    private readonly ushort[] starts;
    private readonly ushort[] ends;
    private readonly PortPolicy[] ports;
    private readonly PortPolicy fallback;

    /// <param name="config">What it was compiled from.</param>
    /// <param name="ranges">Sorted by start; the wildcard, if any, first with 0–0.</param>
    public DirectionPolicy(EquatableList<PortNetworkPolicyConfig> config, PortRangePolicy[] ranges)
    {
        Config = config;
        Ranges = ranges;
        var wildcards = ranges.Length > 0 && ranges[0].Start == 0 ? 1 : 0;
        fallback = wildcards == 1 ? ranges[0].Policy : config.Count == 0 ? PortPolicy.NoRulesForDirection : PortPolicy.NoRulesForPort;
        starts = new ushort[ranges.Length - wildcards];
        ends = new ushort[starts.Length];
        ports = new PortPolicy[starts.Length];
        for (var i = 0; i < starts.Length; i++)
        {
            starts[i] = ranges[i + wildcards].Start;
            ends[i] = ranges[i + wildcards].End;
            ports[i] = ranges[i + wildcards].Policy;
        }
    }

    public EquatableList<PortNetworkPolicyConfig> Config { get; }

    public PortRangePolicy[] Ranges { get; }

    public PortPolicy Find(ushort port)
    {
        int low = 0, high = starts.Length;
        while (low < high)
        {
            var middle = (low + high) >> 1;
            if (ends[middle] < port)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low < starts.Length && starts[low] <= port ? ports[low] : fallback;
    }
}
