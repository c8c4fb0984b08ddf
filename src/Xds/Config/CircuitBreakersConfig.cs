namespace Postern.Xds.Config;

/// <summary><c>CircuitBreakers.Thresholds</c> of priority DEFAULT. <see cref="uint.MaxValue"/> is no bound, and the default; Envoy's is 1024 of each.</summary>
/// <param name="MaxConnections">Of TCP relays, open at once to all endpoints together. (HTTP has one upstream connection per client connection, which Envoy's pools always allow.)</param>
/// <param name="MaxRequests">In flight at once.</param>
public sealed record CircuitBreakersConfig(uint MaxConnections, uint MaxRequests)
{
    /// <summary>A cluster without thresholds.</summary>
    public static readonly CircuitBreakersConfig Unlimited = new(uint.MaxValue, uint.MaxValue);
}
