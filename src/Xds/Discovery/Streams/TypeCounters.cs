using System;
using System.Collections.Generic;

namespace Postern.Xds.Discovery.Streams;

/// <summary>State of one (source, type), guarded by the lock of its owner: what came and what became of it, for the status.</summary>
internal sealed class TypeCounters
{
    private const int MaxNames = 256; // a control plane that invents names must not grow this

    private readonly Dictionary<string, long> rejectedByResource = new(StringComparer.Ordinal);
    private Dictionary<string, string> resourceErrors = [];

    public long Received { get; set; }

    public long Accepted { get; private set; }

    public long Rejected { get; private set; }

    public DateTimeOffset? LastAck { get; private set; }

    public DateTimeOffset? LastNack { get; private set; }

    public string LastNackText { get; private set; } = "";

    public string LastNackVersion { get; private set; } = "";

    public void OnAccepted(DateTimeOffset now)
    {
        Accepted++;
        LastAck = now;
    }

    public void OnRejected(DateTimeOffset now, string version, string text, IReadOnlyList<ResourceProblem> problems)
    {
        Rejected++;
        LastNack = now;
        LastNackText = text;
        LastNackVersion = version;
        foreach (var problem in problems)
        {
            var known = rejectedByResource.TryGetValue(problem.Resource, out var count);
            if (known || rejectedByResource.Count < MaxNames)
            {
                rejectedByResource[problem.Resource] = count + 1;
            }
        }
    }

    public void OnResourceErrors(IReadOnlyList<(string Name, string Text)> errors)
    {
        if (errors.Count > 0)
        {
            resourceErrors = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var (name, text) in errors)
            {
                resourceErrors[name] = text;
            }
        }
    }

    /// <summary>With these numbers.</summary>
    public SubscriptionStatus Fill(SubscriptionStatus status) => status with
    {
        Received = Received,
        Accepted = Accepted,
        Rejected = Rejected,
        LastAck = LastAck,
        LastNack = LastNack,
        LastNackText = LastNackText,
        LastNackVersion = LastNackVersion,
        RejectedByResource = new Dictionary<string, long>(rejectedByResource),
        ResourceErrors = resourceErrors,
    };
}
