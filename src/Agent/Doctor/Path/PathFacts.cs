using System.Net;
using Postern.Agent.Api;
using Postern.Tproxy.Diagnosis;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Doctor.Path;

/// <summary>One packet and what the kernel and the agent say of it. Immutable.</summary>
public sealed record PathFacts
{
    /// <summary>As asked for.</summary>
    public required string From { get; init; }

    /// <summary>The sender, of the same IP version as <see cref="To"/>.</summary>
    public required IPAddress Source { get; init; }

    /// <summary>Where it goes.</summary>
    public required IPEndPoint To { get; init; }

    /// <summary>TCP or UDP.</summary>
    public SteeringProtocol Protocol { get; init; } = SteeringProtocol.Tcp;

    /// <summary>The sender as the agent knows it, or null.</summary>
    public EndpointView? Endpoint { get; init; }

    /// <summary>Where this host sends what is for the sender.</summary>
    public required RouteAnswer ToSource { get; init; }

    /// <summary>Where the packet goes once it bears mark 0x200; null when its device is not known.</summary>
    public RouteAnswer? Marked { get; init; }

    /// <summary>Where this host sends what is for the destination.</summary>
    public required RouteAnswer Onward { get; init; }

    /// <summary>Where answers go that bear mark 0x200; null when their device is not known, or they come from this host.</summary>
    public RouteAnswer? Back { get; init; }

    /// <summary>The verdict, or null.</summary>
    public TraceView? Policy { get; init; }

    /// <summary>Why there is no verdict, or empty.</summary>
    public string PolicyFault { get; init; } = string.Empty;

    /// <summary>By which device the packet comes: the endpoint's own, else the one that leads to it; or null.</summary>
    public string? Device => Endpoint?.Interface ?? (ToSource.Refusal is null && !ToSource.IsLocal ? ToSource.Device : null);
}
